# Everything a developer or an operator runs. `make help` lists the targets.

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# -w leaves out what only debuggers read; stack traces, profiles and go version -m
# do without. A host copies and hashes its plugin at every start.
LDFLAGS := -w -X github.com/cinchapi/concourse-users/shared/version.Version=$(VERSION)
HOME_DIR ?= $(CURDIR)/run
FUZZTIME ?= 1m
FAULTTIME ?= 1m
SOAKTIME ?= 30m
# Of most packages the tests wait, for processes and for time to pass, so that
# twice as many as there are processors keep these busy. Lint vets them.
AT_ONCE = $(shell expr 2 \* $$(getconf _NPROCESSORS_ONLN))
TOOL := go tool -modfile=tools/go.mod
PREFIX ?= /usr/local
PLUGINS = $(notdir $(wildcard plugin/cmd/*))
PAGES = $(notdir $(wildcard docs/man/*.1))

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
	go test -race -vet=off -p $(AT_ONCE) -count=1 -timeout 20m ./...
	go test -C tools -count=1 ./bench ./peers
	./scripts/bench --brief

.PHONY: fault
fault: deps ## harm processes, plugins, disks and clusters, each for FAULTTIME (1m); CONCOURSE_SEED repeats a run
	CONCOURSE_FAULT=$(FAULTTIME) go test -race -count=1 -timeout 0 -v -run '^TestFault' ./host/fault ./host/gate ./plugin/bolt ./plugin/etcd

.PHONY: soak
soak: deps ## flood a host with logins, let it serve a hundred thousand sessions, and 2,000 drivers while processes die, each for SOAKTIME (30m)
	CONCOURSE_SOAK=$(SOAKTIME) go test -count=1 -timeout 0 -v -run '^TestSoak' ./host/soak

.PHONY: conformance
conformance: build ## verify the embedded default backend as "concourse plugin verify" does any
	bin/concourse plugin verify bolt

.PHONY: interop
interop: build ## hold a host against clients and data servers that Apache Thrift's compiler generates, in Python and Java
	@./scripts/interop

.PHONY: bench
bench: ## measure everything beside its floor and make docs/performance.md of it; BENCH=PATTERN measures a part
	@./scripts/bench $(if $(BENCH),'$(BENCH)')

.PHONY: fuzz
fuzz: ## fuzz what parses input from outside, FUZZTIME for each target (1m; 1000x is a brief look)
	@./scripts/fuzz '$(FUZZTIME)'

.PHONY: lint
lint: ## go vet, staticcheck, gofmt
	go vet ./...
	$(TOOL) staticcheck ./...
	cd tools && go vet ./... && go tool staticcheck ./...
	@unformatted=$$(git ls-files '*.go' | grep -v '\.pb\.go$$' | xargs gofmt -l); \
	  if [ -n "$$unformatted" ]; then echo "gofmt would change: $$unformatted"; exit 1; fi

.PHONY: generate
generate: ## generate the Go code and the reference of the protobuf services, the manual, the tables and plots of the documents
	cd shared/proto && $(subst tools/,../../tools/,$(TOOL)) buf lint && $(subst tools/,../../tools/,$(TOOL)) buf generate
	UPDATE=1 go test -count=1 -run '^TestManual$$' ./cmd/concourse
	UPDATE=1 go test -count=1 -run '^TestSettingsTable$$' ./docs
	go run -C tools ./bench -docs '$(CURDIR)/docs' >/dev/null

.PHONY: generated
generated: generate ## fail where generated files differ from their sources
	@changed=$$(git status --porcelain -- shared/proto docs/man docs/commands.md docs/contract.md docs/settings.md docs/performance*); \
	  if [ -n "$$changed" ]; then echo "make generate changes:"; echo "$$changed"; exit 1; fi

# The executables are where the host finds its plugins beside itself; in the
# search path is a link.
INTO = $(DESTDIR)$(PREFIX)
LIB = $(INTO)/lib/concourse
MAN = $(INTO)/share/man/man1

.PHONY: install
install: ## install what build made, and the man pages, below PREFIX (/usr/local)
	@[ -x bin/concourse ] || { echo 'make build first' >&2; exit 1; }
	umask 022 && mkdir -p '$(INTO)/bin' '$(LIB)/plugins' '$(MAN)'
	install -m 0755 bin/concourse '$(LIB)/'
	install -m 0755 $(PLUGINS:%=bin/plugins/%) '$(LIB)/plugins/'
	install -m 0644 $(PAGES:%=docs/man/%) '$(MAN)/'
	ln -sf ../lib/concourse/concourse '$(INTO)/bin/concourse'

.PHONY: uninstall
uninstall: ## remove what install put there; homes stay, and the plugins of others
	rm -f '$(INTO)/bin/concourse' '$(LIB)/concourse' $(PLUGINS:%='$(LIB)/plugins/%')
	rm -f $(PAGES:%='$(MAN)/%')
	@rmdir '$(LIB)/plugins' '$(LIB)' 2>/dev/null || true

.PHONY: clean
clean: ## remove what build made
	rm -rf bin
