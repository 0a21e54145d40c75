import Config
config :greeter, greeting: System.fetch_env!("GREETING"), env: config_env()
