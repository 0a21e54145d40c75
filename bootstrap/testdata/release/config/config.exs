import Config
config :greeter, compiled: "at build time", greeting: "nobody set it"
