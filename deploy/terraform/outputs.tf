output "url" {
  description = "The function's URL."
  value       = aws_lambda_function_url.function.function_url
}

output "function_name" {
  value = aws_lambda_function.function.function_name
}

output "layer_arn" {
  value = aws_lambda_layer_version.beam.arn
}

output "role_name" {
  description = "To which further policies may be attached."
  value       = aws_iam_role.function.name
}
