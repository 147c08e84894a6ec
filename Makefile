# The front door. Every target installs what is missing (apt.txt), then builds, then does its work.
BUILD ?= build
JOBS ?= $(shell nproc)
.PHONY: demo test build check bench install deps oracles fuzz clean format

demo: build
	$(BUILD)/floptally tally plans/gdm-scaling-exponents.yaml

test: build
	ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS)

build: deps
	@cmake -S . -B $(BUILD) -G Ninja $(CMAKE_ARGS) >$(BUILD).log 2>&1 || { cat $(BUILD).log; exit 1; }
	@rm -f $(BUILD).log
	@cmake --build $(BUILD) -j $(JOBS)

deps:
	@tools/install-deps apt.txt

check: build
	tools/check $(BUILD)

bench: deps
	@tools/install-deps bench/apt.txt
	@cmake -S . -B build-bench -G Ninja -DFLOPTALLY_BENCH=ON -DFLOPTALLY_DEVELOPER=OFF $(CMAKE_ARGS)
	@cmake --build build-bench -j $(JOBS)
	bench/run build-bench

fuzz: deps
	@tools/install-deps tests/fuzz/apt.txt
	tests/fuzz/run

oracles: build
	@tools/install-deps tests/differential/apt.txt
	tests/differential/make-oracles $(BUILD)

install: build
	cmake --install $(BUILD)

format:
	clang-format -i $$(git ls-files '*.cpp' '*.h')

clean:
	rm -rf build build-*
