# Everything a developer or an operator runs. `make help` lists the targets.

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -X github.com/cinchapi/concourse-users/shared/version.Version=$(VERSION)
HOME_DIR ?= $(CURDIR)/run
FUZZTIME ?= 1m
FUZZ_TARGETS = $(shell git grep -o '^func Fuzz[A-Za-z]*' -- '*_test.go' | sed 's|/[^/]*_test.go:func |:|')
TOOL := go tool -modfile=tools/go.mod

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/concourse and the plugins in bin/plugins
	go build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/concourse
	go build -trimpath -ldflags '$(LDFLAGS)' -o bin/plugins/ ./plugin/cmd/...

.PHONY: run
run: build ## build, start the host on the embedded default, and say what to type next
	@echo
	@echo 'The host starts with its home in $(HOME_DIR). In another terminal, type:'
	@echo
	@echo '  export CONCOURSE_HOME=$(HOME_DIR)'
	@echo '  bin/concourse users create jeff --set-role USER'
	@echo
	@echo 'and log in as admin with the password that the host prints below, at its first start.'
	@echo 'Ctrl-C stops the host.'
	@echo
	@bin/concourse start --home '$(HOME_DIR)'

.PHONY: deps
deps: ## check for the system packages that the tests need; as root, install them
	@./scripts/deps

.PHONY: test
test: deps ## run every test with the race detector, the binaries under test included
	go test -race -count=1 -timeout 20m ./...

.PHONY: bench
bench: ## run the benchmarks, each beside its floor
	go test -run '^$$' -bench . -benchmem ./...

.PHONY: fuzz
fuzz: ## fuzz what parses input from outside, FUZZTIME for each target (1m)
	@for target in $(FUZZ_TARGETS); do \
	  go test -run '^$$' -fuzz "^$${target#*:}$$" -fuzztime $(FUZZTIME) "./$${target%:*}" || exit 1; \
	done

.PHONY: lint
lint: ## go vet, staticcheck, gofmt
	go vet ./...
	$(TOOL) staticcheck ./...
	@unformatted=$$(git ls-files '*.go' | grep -v '\.pb\.go$$' | xargs gofmt -l); \
	  if [ -n "$$unformatted" ]; then echo "gofmt would change: $$unformatted"; exit 1; fi

.PHONY: generate
generate: ## generate the Go code of the protobuf services
	cd shared/proto && $(subst tools/,../../tools/,$(TOOL)) buf lint && $(subst tools/,../../tools/,$(TOOL)) buf generate

.PHONY: generated
generated: generate ## fail where generated files differ from their sources
	@git diff --exit-code --stat -- shared/proto

.PHONY: clean
clean: ## remove what build made
	rm -rf bin
