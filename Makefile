# Every target installs what it needs and is missing, so each works on a fresh machine. The work is done by scripts/.

SERVICE ?=
PARTS ?=
ATTACKS ?=

# Of fuzz: seconds for each target. Of random-cases: the seed, and how many. Of soak: minutes.
FUZZ_SECONDS ?= 3600
# Bash has a SECONDS of its own, which the scripts use.
ifeq ($(firstword $(origin SECONDS)),command)
$(error say FUZZ_SECONDS=$(SECONDS))
endif
SEED ?= $(shell date +%s)
COUNT ?= 10000
MINUTES ?= 60

.PHONY: help up test check-all check-hostile bench install build format lint unit-test integration-test random-cases fuzz soak run package package-check image compose-check test-control-plane bench-scale clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: ## Build and start the example processors, the echo upstream and Envoy, until Ctrl-C
	@scripts/up.sh

test: ## Build and run all tests: unit, consumer projects, real Envoy, real gRPC clients
	@scripts/test.sh

check-all: ## All checks without the gate's shortcuts, in an hour and a half; PARTS="lint fuzz" runs some (scripts/check_all.sh --list)
	@scripts/check_all.sh $(PARTS)

check-hostile: ## Attack the server, in twelve minutes; ATTACKS="memory slow.idle" runs some (scripts/hostile_test.sh --list)
	@scripts/install.sh build run test
	@scripts/build.sh release hostile_programs
	@scripts/hostile_test.sh $(ATTACKS)

bench: ## Measure extproc against a bare nghttp2 server, grpc++, tonic, Go and Python; QUICK=1 takes under three minutes
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

random-cases: ## Play COUNT=10000 random cases of a SEED by the test kit and by Envoy
	@scripts/random_cases.sh $(SEED) $(COUNT)

fuzz: ## Fuzz each target for FUZZ_SECONDS=3600
	@scripts/fuzz.sh $(FUZZ_SECONDS)

soak: ## MINUTES=60 of mixed load behind Envoy: nothing may fail or grow
	@scripts/install.sh build run test
	@scripts/build.sh release
	@SOAK_MINUTES=$(MINUTES) scripts/integration_test.sh -m soak -s

run: ## Serve a processor: make run SERVICE=examples.TrivialExtProcService PORT=50051
	@scripts/run.sh $(SERVICE)

package: ## Make Debian packages and a .tar.gz in build/packages
	@scripts/package.sh

package-check: ## Install the Debian packages in a bare Debian, and build a project of a user there
	@scripts/package_check.sh

image: ## Build the image of deploy/Dockerfile without an engine, run it and ask it
	@scripts/image.sh

compose-check: ## Run what deploy/compose.yaml says without an engine, and ask it as documented
	@scripts/compose_check.sh

test-control-plane: ## Have a real API server, Envoy Gateway and Istio take deploy/chart and drive Envoy with it; the first time half an hour
	@scripts/control_plane_test.sh

bench-scale: ## Measure 1, 2 and 4 replicas behind one Envoy while they are added, drained and killed, in five minutes
	@scripts/bench_scale.sh

clean: ## Remove the build folder with all that was installed into it
	@rm -rf build
