# `make deploy-terraform` builds the archives and applies this.
variable "architecture" {
  description = "That of the archives; make deploy-terraform sets it."
  type        = string
  default     = "x86_64"
}

module "hello" {
  source = "../"

  name         = "hello-elixir"
  handler      = "HelloElixir.handle"
  architecture = var.architecture
  layer_zip    = "${path.module}/../../../build/deploy/layer.zip"
  function_zip = "${path.module}/../../../build/deploy/function.zip"
}

output "url" {
  value = module.hello.url
}
