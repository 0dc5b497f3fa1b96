module github.com/ccloud-dev/inventory-operator/test/contract

go 1.26.8

require (
	github.com/ccloud-dev/inventory-operator v0.0.0
	github.com/confluentinc/ccloud-sdk-go-v2/cmk v0.27.0
	github.com/confluentinc/ccloud-sdk-go-v2/networking v0.14.0
	github.com/confluentinc/ccloud-sdk-go-v2/srcm v0.7.3
	github.com/getkin/kin-openapi v0.152.0
	github.com/onsi/gomega v1.44.0
)

require (
	github.com/go-jose/go-jose/v4 v4.1.4 // indirect
	github.com/go-json-experiment/json v1.27.2 // indirect
	github.com/go-openapi/jsonpointer v1.0.0 // indirect
	github.com/google/go-cmp v0.7.0 // indirect
	github.com/kr/pretty v0.3.1 // indirect
	github.com/oasdiff/yaml v0.1.1 // indirect
	github.com/oasdiff/yaml3 v0.0.14 // indirect
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.3 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/net v0.59.0 // indirect
	golang.org/x/oauth2 v0.37.0 // indirect
	golang.org/x/text v0.42.0 // indirect
)

replace github.com/ccloud-dev/inventory-operator => ../..
