# Every target creates what it needs. VENV may point outside the checkout (as .ci/run does).
VENV ?= .venv
PYTHON ?= $(shell command -v python3.11 || command -v python3)
export PATH := $(abspath $(VENV))/bin:$(PATH)
export HF_HUB_DISABLE_TELEMETRY := 1
export DVC_NO_ANALYTICS := 1
export GX_ANALYTICS_ENABLED := false
export MLFLOW_DISABLE_TELEMETRY := true
INSTALLED := $(VENV)/.installed

.PHONY: help repro review test test-rest test-all lint types timings estimate profile ablation register promote rollback resolve serve compare clean-venv
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(INSTALLED): pyproject.toml constraints.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(0 if sys.version_info[:2] == (3, 11) else f"SecForge needs Python 3.11; {sys.executable} is {sys.version.split()[0]}. Remedy: make PYTHON=/path/to/python3.11")'
	"$(PYTHON)" -m venv "$(VENV)"
	python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	python -m compileall -q -j 2 "$(VENV)"/lib/python3.11/site-packages >/dev/null || true
	@touch "$(INSTALLED)"

repro: $(INSTALLED) ## rebuild everything that changed: sources -> data -> model -> scores -> report
	@python -m stages.llm import --if-present $(foreach stage,label formats ground enrich synthesize,data/$(stage)/responses.parquet)
	@python -m stages.ground.web import --if-present data/ground/pages.parquet
	dvc repro

test: $(INSTALLED) ## the tests of every stage and one whole build on a toy corpus (at most 12 minutes on 2 cores)
	python -m pytest -m "not slow and not browser and not gpu"

test-rest: $(INSTALLED) ## what `test` leaves out: browser, servers, kill tests, GPU
	python -m pytest -m "slow or browser or gpu"

test-all: test test-rest ## every test (at most 45 minutes; CI runs this)

lint: $(INSTALLED) ## ruff: style, imports, common mistakes, unsafe calls
	ruff check stages tests
	ruff format --check stages tests

types: $(INSTALLED) ## mypy: names, attributes and arguments that are not there
	mypy stages

timings: $(INSTALLED) ## every speed table (half an hour), or those of NAMES="llm_fixed bm25"; each beside a peer or a limit
	python -m tests.timings $(or $(NAMES),all)

estimate: $(INSTALLED) ## tokens, money, hours and disk of params.yaml, or of PROFILE=name, before anything is paid
	python -m stages.profiles estimate $(PROFILE)

profile: $(INSTALLED) ## merge stages/profiles/PROFILE.yaml (default: full) into params.yaml, where git shows it
	python -m stages.profiles apply $(or $(PROFILE),full)

ablation: $(INSTALLED) ## run the experiment NAME and write its table to metrics/experiments; without NAME: list them
	python -m stages.experiments $(if $(NAME),run $(NAME) $(ARGS),list)

review: $(INSTALLED) ## open the page on which formats are tried, edited and approved (needs the tables of `dvc repro benchmarks encoder`)
	@python -m stages.review $(if $(REVIEWER),--reviewer "$(REVIEWER)") $(if $(PORT),--port $(PORT))

register: $(INSTALLED) ## log the committed build to MLflow and register its models
	@python -m stages.register

promote: $(INSTALLED) ## make the candidate (or VERSION=n) the champion if every gate passes; FORCE="reason" is recorded
	@python -m stages.register promote --to champion $(if $(VERSION),--version $(VERSION)) $(if $(FORCE),--force "$(FORCE)")

rollback: $(INSTALLED) ## make the former champion champion again
	@python -m stages.register rollback $(if $(REASON),--reason "$(REASON)")

resolve: $(INSTALLED) ## commit, DVC path and local folder of ALIAS (default: champion)
	@python -m stages.register resolve $(or $(ALIAS),champion)

serve: $(INSTALLED) ## an OpenAI-compatible server on loopback for ALIAS (default: champion), PORT (default: 8000)
	@python -m stages.register serve $(or $(ALIAS),champion) $(if $(PORT),--port $(PORT))

compare: $(INSTALLED) ## a Markdown comparison of two builds for a pull request: FROM (default main), TO (default: the workspace)
	@python -m stages.report compare $(or $(FROM),main) $(or $(TO),.) $(if $(MARKDOWN),--markdown "$(MARKDOWN)")

clean-venv: ## remove the virtual environment
	rm -rf "$(VENV)"
