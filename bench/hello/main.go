// Command hello is a Lambda function on aws-lambda-go that answers with its event: the
// ceiling for what the benchmark of invocations measures.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(_ context.Context, event any) (any, error) { return event, nil })
}
