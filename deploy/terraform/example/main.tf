# `make deploy-terraform` builds the archives and applies this.
module "hello" {
  source = "../"

  name         = "hello-elixir"
  handler      = "HelloElixir.handle"
  layer_zip    = "${path.module}/../../../build/deploy/layer.zip"
  function_zip = "${path.module}/../../../build/deploy/function.zip"
}

output "url" {
  value = module.hello.url
}
