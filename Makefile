# stdpd - all builds, tests, lints and the installation.
#
#   make              programs, linked into build/bin/
#   make run          packages, programs, server on 127.0.0.1:$(PORT), one STDP curve, keep serving
#   make test         packages, all tests, lints; last line "N passed, N failed[, N skipped]"
#   make check        the same and the drift of generated files
#   make lint         static checks       make tests   build the test programs only
#   make schema       generated files     make bench   figures of speed
#   make science      every experiment at full length against its targets; ONLY=name for one
#   make install      DESTDIR, PREFIX     make deps    install missing packages (Debian)
#   make docker-test  image and compose   make clean
#   make fuzz T=60    each fuzz target for T seconds, with clang's libFuzzer
#   make load         the service under load; SESSIONS=10000: so many of them
#
# Options: CC=clang  SAN=address|thread  COV=1  WERROR=-Werror  V=1  PORT=8080
# Variants never mix objects: each has its folder build/$(VARIANT).
# A part of the tree: make -k; or name the sources, as in
#   make CORE_SRC="core/base/err.c core/base/mem.c" build/gcc/tests/unit/test_err

ifeq ($(origin CC),default)
CC := gcc
endif
PORT      ?= 8080
PREFIX    ?= /usr/local
DEFAULT   := gcc
VARIANT   := $(notdir $(CC))$(if $(SAN),-$(SAN))$(if $(COV),-cov)$(if $(FUZZ),-fuzz)
B         := build/$(VARIANT)
MAKEFLAGS += --no-print-directory
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:

# ---- flags -------------------------------------------------------------------------------------

PACKAGES := libmicrohttpd jansson sqlite3 libcurl zlib libcrypto
CPPFLAGS += -I. -D_POSIX_C_SOURCE=200809L $(if $(SAN),-DSTDP_SANITIZED)
WARN     := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wdouble-promotion \
	-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wcast-qual \
	-Wcast-align -Wwrite-strings -Wvla -Wundef -Wformat=2 -Wswitch-enum -Wnull-dereference \
	-Wno-missing-field-initializers
ifneq ($(findstring clang,$(CC)),)
WARN     += -Wthread-safety
else
WARN     += -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wjump-misses-init
endif
SANITIZE := $(if $(SAN),-fsanitize=$(SAN)) $(if $(FUZZ),-fsanitize=fuzzer-no-link -Wno-pass-failed)
ifeq ($(SAN),address)
SANITIZE += -fsanitize=undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
endif
# Bits must be the same everywhere: nothing is contracted or reassociated, never -ffast-math.
CORE_OPT   := $(if $(SAN),-O1,-O3) -g -ffp-contract=off -fno-trapping-math -fno-math-errno -fopenmp-simd
SERVER_OPT := $(if $(SAN),-O0,-O2) -g -ffp-contract=off -fstack-protector-strong \
	$(if $(SAN)$(COV),,-D_FORTIFY_SOURCE=2)
ALL_CFLAGS  = -std=c17 $(WARN) $(WERROR) -pthread $(SANITIZE) $(if $(COV),--coverage) $(CFLAGS)
ALL_LDFLAGS = -pthread -Wl,--as-needed $(SANITIZE) $(if $(COV),--coverage) $(LDFLAGS)
LIBS       := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lm
LIBS_CFLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
Q          := $(if $(V),,@)
comma       := ,
say         = $(if $(V),,@printf '  %-7s %s\n' $(1) $(2))

# ---- file lists --------------------------------------------------------------------------------

MAINS      := $(wildcard core/main_*.c server/main.c server/main_*.c)
CORE_SRC   := $(filter-out $(MAINS),$(wildcard core/*.c core/*/*.c))
SERVER_SRC := $(filter-out $(MAINS),$(wildcard server/*.c))
KINDS      := unit property reference golden fault e2e
TEST_SRC   := $(wildcard $(KINDS:%=tests/%/test_*.c))
PLAIN_SRC  := $(wildcard tests/stress/*.c tests/bench/bench_*.c tests/fuzz/fuzz_*.c \
	tests/science/*.c)
# Helpers: tests/*.c for all, and what a kind's folder has beside its tests for that kind.
KIND_SRC   := $(filter-out $(TEST_SRC),$(wildcard $(KINDS:%=tests/%/*.c)))
HELP_SRC   := $(wildcard tests/*.c)
BENCH_SRC  := $(filter-out $(PLAIN_SRC),$(wildcard tests/bench/*.c))
FUZZ_SRC   := $(if $(FUZZ),,$(filter-out $(PLAIN_SRC),$(wildcard tests/fuzz/*.c)))
# A test of the server says so by its includes; the others do without the server's objects.
SERVER_TESTS := $(if $(TEST_SRC)$(PLAIN_SRC),$(shell grep -lE 'include "(server/|tests/desk)' \
	$(TEST_SRC) $(PLAIN_SRC) /dev/null))
PROGRAMS   := $(if $(wildcard server/main.c),stdpd) $(if $(wildcard core/main_run.c),stdp-run) \
	$(if $(wildcard server/main_gen.c core/main_gen.c),stdp-gen)

obj         = $(patsubst %.c,$(B)/%.o,$(1))
prog        = $(patsubst %.c,$(B)/%,$(1))
TEST_PROGS  := $(call prog,$(TEST_SRC))
STRESS_PROGS := $(call prog,$(filter tests/stress/%,$(PLAIN_SRC)))
FUZZ_PROGS := $(call prog,$(filter tests/fuzz/%,$(PLAIN_SRC)))
BENCH_PROGS := $(call prog,$(filter tests/bench/%,$(PLAIN_SRC)))
ALL_SRC    := $(MAINS) $(CORE_SRC) $(SERVER_SRC) $(TEST_SRC) $(PLAIN_SRC) $(HELP_SRC) $(KIND_SRC) \
	$(BENCH_SRC) $(FUZZ_SRC)

# What the server carries inside: see server/embed.h.
UPLOT      := $(wildcard web/node_modules/uplot/dist/uPlot.iife.min.js \
	web/node_modules/uplot/dist/uPlot.min.css)
EMBED      := $(sort $(wildcard web/*.html web/*.css web/*.js web/*.svg schema/*.json schema/*.md \
	schema/sql/*.sql schema/presets/*.json) $(UPLOT))

# ---- rules -------------------------------------------------------------------------------------

.PHONY: all deps run test tests check lint drift bench load fuzz fuzzers science schema install docker-test clean FORCE
all: $(PROGRAMS:%=$(B)/%) $(if $(filter $(DEFAULT),$(VARIANT)),$(PROGRAMS:%=build/bin/%))

build/bin/%: build/$(DEFAULT)/%
	@mkdir -p $(@D)
	$(Q)ln -f $< $@ 2>/dev/null || cp -f $< $@

$(B)/core/%.o: core/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) -DSTDP_FLAGS='"$(strip $(CORE_OPT))"' $(LIBS_CFLAGS) $(ALL_CFLAGS) $(CORE_OPT) -MMD -MP -c -o $@ $<
$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(LIBS_CFLAGS) $(ALL_CFLAGS) $(SERVER_OPT) -MMD -MP -c -o $@ $<

# The table of embedded files is rewritten only when the list of files changes.
$(B)/embed.S: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' $(EMBED) | awk -f server/embed.awk >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@
$(B)/embed.o: $(B)/embed.S $(EMBED)
	$(call say,AS,$<)
	$(Q)$(CC) -c -o $@ $<

define archive
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^
endef
$(B)/libcore.a: $(call obj,$(CORE_SRC))
	$(archive)
$(B)/libserver.a: $(call obj,$(SERVER_SRC)) $(B)/embed.o
	$(archive)

define link
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group \
		$(1) $(LIBS)
endef
$(B)/stdpd: $(B)/server/main.o $(B)/libserver.a $(B)/libcore.a
	$(call link)
$(B)/stdp-run: $(B)/core/main_run.o $(B)/libcore.a
	$(call link)
$(B)/stdp-gen: $(call obj,$(wildcard server/main_gen.c core/main_gen.c)) $(B)/libserver.a $(B)/libcore.a
	$(call link)
$(call prog,$(SERVER_TESTS)): $(B)/libserver.a
$(B)/libtest.a: $(call obj,$(HELP_SRC))
	$(archive)
$(foreach k,$(KINDS),$(eval $(filter $(B)/tests/$k/%,$(TEST_PROGS)): \
	$(call obj,$(filter tests/$k/%,$(KIND_SRC)))))
$(TEST_PROGS): %: %.o $(B)/libtest.a $(B)/libcore.a
	$(call link,-lcriterion)
$(filter-out $(BENCH_PROGS) $(FUZZ_PROGS),$(call prog,$(PLAIN_SRC))): %: %.o $(B)/libcore.a
	$(call link)
$(FUZZ_PROGS): %: %.o $(call obj,$(FUZZ_SRC)) $(B)/libcore.a
	$(call link,$(if $(FUZZ),-fsanitize=fuzzer))
# The phases of a step are timed from outside: the engine has no clock.
$(BENCH_PROGS): %: %.o $(call obj,$(BENCH_SRC)) $(B)/libcore.a
	$(call link,-Wl$(comma)--wrap=sim_integrate$(comma)--wrap=sim_deliver$(comma)--wrap=sim_visit)
-include $(ALL_SRC:%.c=$(B)/%.d)

# ---- tests and lints ---------------------------------------------------------------------------

tests: all $(TEST_PROGS) $(STRESS_PROGS) $(FUZZ_PROGS)
deps:
	@sh .ci/deps.sh test
run:
	@sh .ci/deps.sh run
	@$(MAKE) -j"$$(nproc)" all
	@sh .ci/demo.sh $(PORT)
test: deps
	@MAKE='$(MAKE)' sh tests/run.sh all $(DEFAULT)
check: test drift
lint:
	@MAKE='$(MAKE)' sh tests/run.sh lint $(DEFAULT)
fuzz:
	@$(MAKE) CC=clang SAN=address FUZZ=1 fuzzers
	@B=build/clang-address-fuzz sh tests/fuzz/fuzz.sh $(or $(T),60) $(ONLY)
fuzzers: $(FUZZ_PROGS)
load: all
	@STDPD=$(CURDIR)/$(B)/stdpd node tests/bench/load.mjs
	@STDPD=$(CURDIR)/$(B)/stdpd node tests/bench/sessions.mjs
bench: all $(BENCH_PROGS)
	@for p in $(BENCH_PROGS) $(wildcard tests/bench/*.sh); do \
		case $$p in *.sh) p="sh $$p" ;; esac; \
		STDPD=$(CURDIR)/$(B)/stdpd STDP_RUN=$(CURDIR)/$(B)/stdp-run $$p || exit 1; done
science: $(B)/tests/science/science
	@$(B)/tests/science/science $(ONLY)
schema: $(B)/stdp-gen
	$(Q)$(B)/stdp-gen schema
drift:
	@sh tests/lint/drift.sh $(B)/stdp-gen
docker-test:
	@sh docker/test.sh

# ---- installation ------------------------------------------------------------------------------

install: all
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(PROGRAMS:%=$(B)/%) $(DESTDIR)$(PREFIX)/bin
clean:
	rm -rf build
