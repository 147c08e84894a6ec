# The front door. Every target installs what is missing (apt.txt), then builds what it needs, then does its work.
BUILD ?= build
JOBS ?= $(shell nproc)
SECONDS ?= 30
.PHONY: demo test program build configure check bench install deps oracles fuzz docs clean format

demo: program
	$(BUILD)/floptally tally plans/gdm-scaling-exponents.yaml

test: build
	ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS)

# The program alone; `build` adds the tests.
program: configure
	@cmake --build $(BUILD) -j $(JOBS) --target floptally

build: configure
	@cmake --build $(BUILD) -j $(JOBS)

configure: deps
	@cmake -S . -B $(BUILD) -G Ninja $(CMAKE_ARGS) >$(BUILD).log 2>&1 || { cat $(BUILD).log; exit 1; }
	@rm -f $(BUILD).log

deps:
	@tools/install-deps apt.txt

check: build
	@tools/install-deps tools/apt.txt
	tools/check $(BUILD)

bench: deps
	@tools/install-deps bench/apt.txt
	@cmake -S . -B build-bench -G Ninja -DFLOPTALLY_BENCH=ON -DFLOPTALLY_DEVELOPER=OFF $(CMAKE_ARGS) >build-bench.log 2>&1 || { cat build-bench.log; exit 1; }
	@rm -f build-bench.log
	@cmake --build build-bench -j $(JOBS)
	bench/run build-bench

# Each reader on hostile input for SECONDS, with clang's libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer.
fuzz: deps
	@tools/install-deps tests/fuzz/apt.txt
	tests/fuzz/run $(SECONDS)

oracles: build
	@tools/install-deps tests/differential/apt.txt
	tests/differential/make-oracles $(BUILD)

# Writes what the program prints into the pages that show it. Read the difference before committing it.
docs: program
	tools/generate-reference.py $(BUILD)
	tests/docs/run.py . $(BUILD)/floptally --update

install: program
	cmake --install $(BUILD)

format:
	@tools/install-deps tools/apt.txt
	clang-format -i $$(git ls-files '*.cpp' '*.h')

clean:
	rm -rf build build-*
