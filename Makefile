# The whole vocabulary a person needs. CMake does the work.
.PHONY: all demo stories test explore bench lint format asan fuzz install clean
all:
	@cmake/install-packages build
	@cmake --preset release -Wno-dev >/dev/null
	@cmake --build build/release

demo: all
	@demo/run build/release

stories: all
	@demo/stories/run build/release $(if $(STORY),--story $(STORY))

test:
	@cmake/install-packages test
	@$(MAKE) --no-print-directory all
	@cd build/release && ctest --output-on-failure -j 2 -LE stories $(CTEST)

# Two offices whose messages cross, for longer than the test does: make explore EFFORT=20
explore: all
	@build/release/tests/explore --effort $(or $(EFFORT),20)

bench: all
	@tests/bench/run build/release

lint:
	@cmake/install-packages lint
	@.ci/lint

format:
	@git ls-files '*.c' '*.h' | xargs clang-format -i

asan:
	@cmake/install-packages lint
	@cmake --preset asan >/dev/null && cmake --build build/asan
	@cd build/asan && ctest --output-on-failure -j 2 -L 'unit|integration|sim' $(CTEST)

fuzz:
	@cmake/install-packages lint
	@cmake --preset fuzz >/dev/null
	@tests/fuzz/run build/fuzz $(or $(SECONDS_EACH),10)

install: export DESTDIR := $(DESTDIR)
install: all
	@cmake --install build/release --prefix $(or $(PREFIX),/usr/local)

clean:
	@rm -rf build
