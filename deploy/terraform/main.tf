resource "aws_lambda_layer_version" "beam" {
  layer_name               = "${var.name}-beam"
  description              = "Erlang, Elixir and the runtime (beamport layer)"
  filename                 = var.layer_zip
  source_code_hash         = filebase64sha256(var.layer_zip)
  compatible_runtimes      = ["provided.al2023"]
  compatible_architectures = [var.architecture]
}

data "aws_iam_policy_document" "lambda" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "logs" {
  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.function.arn}:*"]
  }
}

resource "aws_iam_role" "function" {
  name_prefix        = "${var.name}-"
  assume_role_policy = data.aws_iam_policy_document.lambda.json
}

resource "aws_iam_role_policy" "logs" {
  role   = aws_iam_role.function.id
  policy = data.aws_iam_policy_document.logs.json
}

resource "aws_cloudwatch_log_group" "function" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_lambda_function" "function" {
  function_name    = var.name
  role             = aws_iam_role.function.arn
  runtime          = "provided.al2023"
  handler          = var.handler
  filename         = var.function_zip
  source_code_hash = filebase64sha256(var.function_zip)
  layers           = [aws_lambda_layer_version.beam.arn]
  architectures    = [var.architecture]
  memory_size      = var.memory_size
  timeout          = var.timeout

  environment {
    variables = merge({ BEAMPORT_RESPONSE_MODE = var.stream ? "streaming" : "buffered" }, var.environment)
  }

  logging_config {
    log_format            = "JSON"
    application_log_level = "INFO"
    log_group             = aws_cloudwatch_log_group.function.name
  }
}

resource "aws_lambda_function_url" "function" {
  function_name      = aws_lambda_function.function.function_name
  authorization_type = var.url_authorization
  invoke_mode        = var.stream ? "RESPONSE_STREAM" : "BUFFERED"
}

# A URL that is open to all needs both, since October 2025:
# https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
resource "aws_lambda_permission" "url" {
  count                  = var.url_authorization == "NONE" ? 1 : 0
  function_name          = aws_lambda_function.function.function_name
  action                 = "lambda:InvokeFunctionUrl"
  principal              = "*"
  function_url_auth_type = "NONE"
}

resource "aws_lambda_permission" "function" {
  count                    = var.url_authorization == "NONE" ? 1 : 0
  function_name            = aws_lambda_function.function.function_name
  action                   = "lambda:InvokeFunction"
  principal                = "*"
  invoked_via_function_url = true
}
