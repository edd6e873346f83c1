# The front door. `make` alone lists what there is. Works with GNU make 3.81 (macOS).
.DEFAULT_GOAL := help
SHELL := /bin/sh

FANFARE := node services/cli/bin/fanfare.js
PROTOS := $(shell find proto -name '*.proto' -not -path '*/node_modules/*') proto/buf.gen.yaml
# Written by npm at the end of every installation, by whichever command.
INSTALLED := node_modules/.package-lock.json
GENERATED := proto/gen/.made

.PHONY: help up down test test-unit test-chart e2e-k8s lint proto build bench load images sbom chart-docs monitoring clean node

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: build ## Start everything here, with a demo game, until Ctrl-C
	@$(FANFARE) up

down: ## Stop what `make up` started; CLEAN=1 removes its data too
	@if [ -f services/cli/dist/main.js ]; then $(FANFARE) down $(if $(CLEAN),-clean); \
	else echo "Fanfare does not run here"; fi

test: build ## Test everything: the rules, each service on real servers, the whole stack
	@echo "servers for the tests"
	@$(FANFARE) servers
	npx vitest run --reporter=default --reporter=json --outputFile.json=.fanfare/test-results.json

test-unit: build ## Test the rules alone (seconds)
	npx vitest run --project unit

e2e-k8s: build ## Test the chart on the cluster of the current kubectl context
	npx vitest run --config e2e/k8s/vitest.config.ts --reporter=default --reporter=json \
	  --outputFile.json=.fanfare/k8s-results.json

test-chart: build ## Test the Helm chart as it is rendered, by Helm 3 and 4
	npx vitest run --project chart

lint: build ## Check style, import borders, the contract, and the types of tests
	npx biome check --error-on-warnings .
	npx buf lint proto
	npx tsc -p tsconfig.tests.json

proto: $(GENERATED) ## Generate code from the contract

build: $(GENERATED) ## Install packages and compile, as far as needed
	@npx tsc -b

bench: build ## Measure every target of docs/performance.md; takes minutes
	node bench/dist/main.js

load: build ## Put a crowd on the running `make up`; PLAYERS=2000
	@$(FANFARE) load -players $(or $(PLAYERS),2000)

images: ## Build the images with docker or buildah; PREFIX=fanfare TAG=dev
	@sh scripts/images.sh $(or $(PREFIX),fanfare) $(or $(TAG),dev)

sbom: $(INSTALLED) ## List what each image holds of npm (SPDX), in .fanfare/sbom
	@mkdir -p .fanfare/sbom
	@for each in gateway quiz leaderboard quiz-master cli; do \
	  npm sbom --sbom-format spdx --omit dev --omit optional --workspace services/$$each \
	    > .fanfare/sbom/fanfare-$$each.spdx.json && echo ".fanfare/sbom/fanfare-$$each.spdx.json"; done

chart-docs: $(INSTALLED) ## Write the chart's README and dashboards from their sources
	node scripts/chart-readme.mjs
	node scripts/dashboards.mjs

monitoring: ## Put Prometheus and Grafana with the dashboards into the cluster of the current kubectl context
	kubectl apply -k k8s/monitoring
	@echo "dashboards: kubectl -n monitoring port-forward service/grafana 3000"
	@echo "alerts:     kubectl -n monitoring port-forward service/prometheus 9090"

clean: ## Remove what was built; data and installed packages stay
	rm -rf proto/gen proto/dist services/*/dist bench/dist

node:
	@command -v node >/dev/null || { echo "Fanfare needs Node 20.19 or newer"; exit 1; }
	@node scripts/check-node.cjs

$(INSTALLED): package-lock.json | node
	@echo "installing packages (about a minute, once)"
	npm ci
	@touch $@

$(GENERATED): $(PROTOS) $(INSTALLED)
	npm run --silent proto
	@touch $@
