module github.com/beamport/beamport/bench

go 1.26

require (
	github.com/aws/aws-lambda-go v1.49.0
	github.com/beamport/beamport v0.0.0
	github.com/bytedance/sonic v1.15.2
	github.com/ergo-services/ergo v1.999.224
	github.com/fxamacker/cbor/v2 v2.9.1
	github.com/go-json-experiment/json v1.27.2
	github.com/okeuday/erlang_go/v2 v2.0.7
	github.com/stretchr/testify v1.11.1
	github.com/vmihailenco/msgpack/v5 v5.4.1
)

require (
	github.com/bytedance/gopkg v0.1.3 // indirect
	github.com/bytedance/sonic/loader v0.5.1 // indirect
	github.com/cloudwego/base64x v0.1.6 // indirect
	github.com/davecgh/go-spew v1.1.1 // indirect
	github.com/klauspost/cpuid/v2 v2.2.9 // indirect
	github.com/pmezard/go-difflib v1.0.0 // indirect
	github.com/twitchyliquid64/golang-asm v0.15.1 // indirect
	github.com/vmihailenco/tagparser/v2 v2.0.0 // indirect
	github.com/x448/float16 v0.8.4 // indirect
	golang.org/x/arch v0.0.0-20210923205945-b76863e36670 // indirect
	golang.org/x/sys v0.22.0 // indirect
	gopkg.in/yaml.v3 v3.0.1 // indirect
)

replace github.com/beamport/beamport => ../
