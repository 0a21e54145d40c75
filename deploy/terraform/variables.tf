variable "name" {
  description = "The name of the function; its role, layer and logs are named for it."
  type        = string
}

variable "handler" {
  description = "The handler, as beamport invoke --handler takes it."
  type        = string
}

variable "layer_zip" {
  description = "What beamport layer wrote."
  type        = string
}

variable "function_zip" {
  description = "What beamport package wrote."
  type        = string
}

variable "architecture" {
  description = "That of both archives: x86_64 or arm64."
  type        = string
  default     = "x86_64"

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "Lambda has x86_64 and arm64."
  }
}

variable "memory_size" {
  description = "In MB. The share of a CPU grows with it."
  type        = number
  default     = 512
}

variable "timeout" {
  description = "In seconds."
  type        = number
  default     = 10
}

variable "environment" {
  description = "Variables of the function's environment."
  type        = map(string)
  default     = {}
}

variable "log_retention_days" {
  type    = number
  default = 14
}

variable "stream" {
  description = "Whether the function's URL streams responses."
  type        = bool
  default     = false
}

variable "url_authorization" {
  description = "AWS_IAM, or NONE for a URL that is open to all."
  type        = string
  default     = "AWS_IAM"
}
