# Every target installs what it needs and is missing, so each works on a fresh machine. The work is done by scripts/.

SERVICE ?=

.PHONY: help up test bench install build format lint unit-test integration-test run package clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: ## Build and start the example processors, the echo upstream and Envoy, until Ctrl-C
	@scripts/up.sh

test: ## Build and run all tests: unit, consumer projects, real Envoy, real gRPC clients
	@scripts/test.sh

bench: ## Measure extproc against the floor, grpc++, tonic, Go and Python; QUICK=1 takes under three minutes
	@scripts/bench.sh

install: ## Install what is needed to build
	@scripts/install.sh build

build: install ## Build a release: the command, the example processors, the echo upstream
	@scripts/build_product.sh

format: ## Format the C++ sources
	@scripts/install.sh format
	@scripts/format.sh

lint: ## Check the format and run clang-tidy
	@scripts/lint.sh

unit-test: install ## Build and run the unit tests
	@scripts/build.sh release
	@scripts/ctest.sh release --label-regex unit

integration-test: ## Build and run the tests with real Envoy and real gRPC clients
	@scripts/install.sh build run test
	@scripts/build.sh release
	@scripts/integration_test.sh

run: ## Serve a processor: make run SERVICE=examples.TrivialExtProcService PORT=50051
	@scripts/run.sh $(SERVICE)

package: ## Make a .deb and a .tar.gz in build/packages
	@scripts/package.sh

clean: ## Remove the build folder with all that was installed into it
	@rm -rf build
