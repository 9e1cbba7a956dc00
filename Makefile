# The tools come from the active environment: pip install -e ".[dev]"
PYTHON ?= python

.PHONY: quality format test example docs release-check soak

quality:  ## lint, format, types, structure (names, imports, rooms)
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(PYTHON) -m mypy tests/typing/user_script.py
	$(PYTHON) -m pyright
	$(PYTHON) tools/check_structure.py

format:
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

test:
	$(PYTHON) -m pytest

example:  ## both example clips; needs scikit-image
	$(PYTHON) examples/make_example.py
	$(PYTHON) examples/make_expressions.py

docs:  ## the site, in build/site; needs the extra docs
	$(PYTHON) -m mkdocs build --strict

release-check:  ## version, wheel, licenses, docs, links, clean installs; needs the extras dev and docs
	$(PYTHON) tools/release_check.py

soak:  ## damaged files by the thousand; under an hour on two cores
	PYTHONPATH=.:tests $(PYTHON) -m robustness.soak
