# meshtop - one Makefile for the whole house (no recursion into folders, no configure).
#   make run    installs what is missing, builds, brings the example mesh up and opens the live view
#   make test   installs what is missing, builds, runs every test        make check   lint only, no tests
#   make help   every target
.DEFAULT_GOAL := build
MODE ?= release
BUILD ?= build
O    := $(BUILD)/$(MODE)

# ---- what we build with -------------------------------------------------
PKGS  := ncursesw libcurl libcjson yaml-0.1 libmicrohttpd sqlite3 gnutls libxcrypt libarchive
CSTD  := -std=gnu11
WARN  := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
         -Wpointer-arith -Wwrite-strings -Wvla -Wformat=2 -Wundef -Wno-format-truncation
# Small on purpose: no tables that only C++ needs, and nothing that nobody calls.
OPT := -O2
FLAGS_release = $(OPT) -g -fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections
FLAGS_debug   := -O0 -g3
FLAGS_asan    := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FLAGS_cover   := -O0 -g --coverage
FLAGS_fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fprofile-instr-generate -fcoverage-mapping
ifeq ($(MODE),fuzz)
CC := clang
endif
ifdef CI
WARN += -Werror
endif
VERSION := $(shell cat VERSION)
CPPFLAGS += -I. -D_GNU_SOURCE -DMESHTOP_VERSION='"$(VERSION)"'
CFLAGS   += $(CSTD) $(WARN) $(FLAGS_$(MODE))
LDFLAGS  += $(FLAGS_$(MODE)) -Wl,--gc-sections
# Commands and steps wait for others, screens for people, and most parts of the API run once a write or
# once a start: small is worth more than fast there. HOT is what the benches feel all the same.
COLD := cli/*.c devenv/*.c tui/*.c lib/mesh/*.c lib/kube/*.c lib/base/yaml_print.c lib/base/quantity.c lib/base/process.c \
        $(addprefix lib/compose/,fn_*.c funcs_*.c gotime*.c) \
        $(addprefix lib/schema/,cel*.c crd_*.c openapi_check.c structural.c go_print.c jsonpath.c) \
        $(addprefix devenv/sandbox/,*_controller.c admission*.c auth*.c builtin_[cdp]*.c cells*.c cloud.c crd.c daemon.c \
        discovery.c faults.c load.c managed_crd.c managed_kinds.c negotiate.c openapi*.c patch_*.c probes.c protobuf.c \
        provider*.c rbac_[emr]*.c reviews.c scale.c selectors.c server.c tls.c usage_*.c workload*.c)
HOT  := lib/kube/skim.c lib/kube/store.c lib/kube/cache.c lib/kube/listwatch.c lib/mesh/facts.c $(wildcard lib/mesh/plan*.c lib/compose/fn_patch*.c) lib/schema/cel_eval.c \
        lib/schema/cel_value.c devenv/sandbox/builtin_check.c
$(patsubst %.c,$(O)/%.o,$(filter-out $(HOT),$(wildcard $(COLD)))): OPT := -Os
# Tables of pointers take a tenth of the room when the C library can read packed ones.
PACK = $(eval PACK := $(shell mkdir -p $(O); echo 'int main(void) { return 0; }' | $(CC) -xc - -Wl,-z,pack-relative-relocs \
       -o $(O)/pack 2>/dev/null && $(O)/pack && echo -Wl,-z,pack-relative-relocs))$(PACK)
# Expanded when first used, so that `make run` can install them before.
PKG_CFLAGS = $(eval PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS)))$(PKG_CFLAGS)
LDLIBS     = $(eval LDLIBS := $(shell pkg-config --libs $(PKGS)) -lm)$(LDLIBS)

# ---- a folder is a floor; every .c in it belongs to it ------------------
FLOORS := lib/base lib/schema lib/compose lib/kube lib/mesh devenv devenv/sandbox tui cli
MAIN   := cli/main.c
SRC    := $(filter-out $(MAIN),$(wildcard $(addsuffix /*.c,$(FLOORS))))
HDR    := $(wildcard $(addsuffix /*.h,$(FLOORS)))
OBJ    := $(SRC:%.c=$(O)/%.o) $(O)/assets.o
ASSETS := $(shell find assets examples kind-config -type f ! -name '.*' 2>/dev/null | LC_ALL=C sort)
TESTSRC := $(wildcard tests/unit/*/*.c)
UNITS  := $(TESTSRC:%.c=$(O)/%)
FUZZ   := $(patsubst %.c,$(O)/%,$(wildcard tests/fuzz/fuzz_*.c))
BENCH  := $(patsubst %.c,$(O)/%,$(wildcard tests/bench/*.c))
TOOLS  := $(patsubst %.c,$(O)/%,$(wildcard tests/tools/*.c))

build: program ; @ln -sfn $(O)/meshtop meshtop
program: $(O)/meshtop
$(O)/meshtop: $(O)/cli/main.o $(O)/libmeshtop.a ; $(CC) $(LDFLAGS) $(PACK) $^ $(LDLIBS) -o $@ && printf '$(if $(MAKE_TERMOUT),\r\033[K)'
$(O)/libmeshtop.a: $(OBJ) ; @rm -f $@; ar rcs $@ $^
# On a terminal the file being compiled is shown in place.
SHOW = $(if $(MAKE_TERMOUT),@printf '\r\033[Kcompiling %s' $<,@:)
$(O)/%.o: %.c Makefile VERSION ; $(SHOW); mkdir -p $(@D); $(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@
$(O)/assets.o: scripts/embed.sh $(ASSETS) ; @mkdir -p $(@D); scripts/embed.sh $(O) $(ASSETS) >$(O)/assets.c; \
	$(CC) $(CPPFLAGS) $(CFLAGS) -c $(O)/assets.c -o $@
$(UNITS): $(O)/%: $(O)/%.o $(O)/libmeshtop.a ; $(CC) $(LDFLAGS) $^ $(LDLIBS) -lcmocka -o $@
$(BENCH) $(TOOLS): $(O)/%: $(O)/%.o $(O)/libmeshtop.a ; $(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@
# The fuzz targets are compiled in every mode (a main replays the corpus) so that they cannot rot.
ifeq ($(MODE),fuzz)
FUZZMAIN := -fsanitize=fuzzer
else
FUZZMAIN := $(O)/tests/fuzz/replay.o
endif
$(FUZZ): $(O)/%: $(O)/%.o $(O)/libmeshtop.a $(filter %.o,$(FUZZMAIN)) ; $(CC) $(LDFLAGS) $< $(FUZZMAIN) $(O)/libmeshtop.a $(LDLIBS) -o $@

# ---- the verbs ------------------------------------------------------------
ENGINE ?= sandbox
JOBS   := $(shell nproc)
# A build of its own after the dependencies are there; ends the line SHOW left.
AGAIN  = @$(MAKE) -s --no-print-directory -j$(JOBS)
PROFILE ?= demo
MT = ./meshtop --profile $(PROFILE)
deps-%: ; @scripts/deps.sh $*

# What a verb needs: the packages, the program.
ready: deps-run
	$(AGAIN) build
# On a terminal up's own screen goes on into the live view.
run: ready
	@$(MT) up --tui --engine $(ENGINE) --examples corner-shop $(UP) && { [ -t 0 ] && [ -t 1 ] || $(MT); }
test: deps-test
	$(AGAIN) build tests
	@tests/run.sh $(O)
tests: $(UNITS) $(FUZZ) $(BENCH) $(TOOLS)
asan: deps-test
	$(AGAIN) MODE=asan program tests
	@ASAN_OPTIONS=detect_leaks=1 tests/run.sh $(BUILD)/asan
fuzz: deps-fuzz
	$(AGAIN) MODE=fuzz fuzz-run
fuzz-run: $(FUZZ) ; @tests/fuzz/run.sh $(O) $${SECS:-10}
bench: deps-test
	$(AGAIN) build tests
	@tests/bench/run.sh $(O)

# Meshifi's and DappMesh's verbs; ENGINE=auto|kind|sandbox|context, PROFILE=name, UP="more words of up"
setup-dev: ready
	@$(MT) up --no-tui --engine $(ENGINE) $(UP)
install-deps: ready
	@./meshtop doctor --fix --engine $(ENGINE)
create-cluster: ready ; @$(MT) up --engine $(ENGINE) $(UP) --until mark
install-crossplane: ready ; @$(MT) up --engine $(ENGINE) $(UP) --until crossplane-ready
install-platform: ready ; @$(MT) up --engine $(ENGINE) $(UP) --until compositions
uninstall-platform: ready ; @$(MT) down --only packages --yes
install-samples: ready ; @$(MT) examples add corner-shop
uninstall-samples: ready ; @$(MT) down --only examples --yes
verify: ready
	@$(MT) verify --up --engine $(ENGINE) $(UP)
test-platform: ready ; @$(MT) verify --scratch
show-status: ready ; @$(MT) status
debug: ready ; @$(MT) debug
doctor: ready ; @./meshtop doctor --engine $(ENGINE)
cleanup: ready ; @$(MT) down
quick: build check
# The real thing: a real engine, node image and registry (docs/TESTING.md says which variables).
test-kind: deps-test
	$(AGAIN) build
	@tests/run.sh $(O) e2e/kind.test

# A real API server (MESHTOP_TEST_KUBECONFIG): every test that can use one.
test-kube: deps-test
	$(AGAIN) build tests
	@[ -n "$$MESHTOP_TEST_KUBECONFIG" ] || echo "test-kube: MESHTOP_TEST_KUBECONFIG names no API server: what needs one is SKIPPED"
	@MESHTOP_GO_FETCH=1 TEST_JOBS=1 tests/run.sh $(O) '_kube\.test|e2e/(client|model|informer)\.test'

# Meshifi's own files on the sandbox: make test-meshifi DIR=a checkout of its repository.
DIR ?=
test-meshifi: deps-test
	$(AGAIN) build
	@MESHTOP_MESHIFI_DIR='$(DIR)' tests/run.sh $(O) e2e/meshifi.test

# lib/compose against the real functions (docs/TESTING.md), for SECS seconds.
diff: deps-test
	$(AGAIN) build tests
	@SECS=$${SECS:-60} TEST_TIMEOUT=7200 tests/run.sh $(O) e2e/diff.test

PREFIX ?= /usr/local
install: build ; install -Dm755 $(O)/meshtop $(DESTDIR)$(PREFIX)/bin/meshtop
clean: ; rm -rf $(BUILD) meshtop
help: ; @scripts/help.sh

# ---- lint -----------------------------------------------------------------
check: deps-check layers size format banned shell ; @$(MAKE) -s headers && echo "check: clean"
layers: ; @tests/lint/layers.sh $(FLOORS)
headers: $(HDR:%=$(O)/%.ok)
$(O)/%.h.ok: %.h ; @mkdir -p $(@D); echo '#include "$<"' | $(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(CSTD) $(WARN) -fsyntax-only -x c - && touch $@
CODE := $(SRC) $(MAIN) $(HDR)
TESTCODE := $(wildcard tests/*/*.c tests/*/*.h tests/unit/*/*.c tests/unit/*/*.h)
size: ; @tests/lint/size.sh $(CODE)
format: ; @clang-format --dry-run -Werror $(CODE) $(TESTCODE)
banned: ; @tests/lint/banned.sh $(CODE)
shell: ; @sh -n scripts/*.sh tests/*.sh tests/lint/*.sh
.PHONY: build program ready run test tests asan fuzz fuzz-run bench setup-dev install-deps create-cluster install-crossplane install-platform uninstall-platform install-samples uninstall-samples verify test-platform show-status debug doctor cleanup quick test-kind test-kube test-meshifi diff install clean help check layers headers size format banned shell
-include $(shell test -d $(O) && find $(O) -name '*.d')
