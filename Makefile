# SPDX-License-Identifier: MIT
# Ferrule: one Makefile for everything. `make help` lists what it can do; docs/building.md explains it.
#
# src/MOD/module.mk says what a module is made of, cmd/TOOL/tool.mk what a program is made of.
# Nothing is written outside build/ (install aside).

MAKEFLAGS += --no-builtin-rules --no-builtin-variables
SHELL := /bin/sh
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := all

B := build
V ?=
Q := $(if $(V),,@)
SAY = @$(if $(V),:,printf '  %-7s %s\n')

# --- Architecture. Only this block knows names that depend on it.
HOST_ARCH := $(shell uname -m)
ARCH ?= x86_64
ifeq ($(filter x86_64 aarch64,$(ARCH)),)
$(error ARCH is $(ARCH); it must be x86_64 or aarch64)
endif
TRIPLET := $(ARCH)-linux-gnu
CROSS := $(if $(filter $(HOST_ARCH),$(ARCH)),,$(TRIPLET)-)
MUSL_INC ?= /usr/include/$(ARCH)-linux-musl
MUSL_LIB ?= /usr/lib/$(ARCH)-linux-musl
KERNEL_INC ?= $(if $(CROSS),/usr/$(TRIPLET)/include,/usr/include)
KERNEL_ASM ?= $(if $(CROSS),/usr/$(TRIPLET)/include/asm,/usr/include/$(TRIPLET)/asm)
ARCH_CFLAGS_x86_64 := -fcf-protection
ARCH_CFLAGS_aarch64 := -mbranch-protection=standard

PREFIX ?= /usr/local
DESTDIR ?=
FUZZ_SECONDS ?= 10
FUZZ_SEED ?= 0
PYTHON ?= /usr/bin/python3

MUSL_CC := $(CROSS)gcc
HOST_CC := gcc
CLANG := clang
AR := $(CROSS)gcc-ar
OBJCOPY := $(CROSS)objcopy

BIN := $(B)/$(if $(filter x86_64,$(ARCH)),bin,bin-$(ARCH))
SYSROOT := $(B)/sysroot-$(ARCH)
O_rel := $(B)/rel-$(ARCH)
O_dbg := $(B)/dbg-$(ARCH)
O_asan := $(B)/asan
O_fuzz := $(B)/fuzz
MODES := rel dbg asan fuzz
TOOLS_DIR_rel := $(B)/tools
TOOLS_DIR_asan := $(O_asan)/tools

# --- Modules and programs.
MODULES :=
TOOLS :=
include $(wildcard src/*/module.mk)
include $(wildcard cmd/*/tool.mk)
TEST_TOOLS :=
include $(wildcard test/tools/*.mk)
-include test/unit/tests.mk

MODULES := $(sort $(MODULES))
TOOLS := $(sort $(TOOLS))
TEST_TOOLS := $(sort $(TEST_TOOLS))
UNIT_TESTS := $(patsubst test/unit/%.c,%,$(sort $(wildcard test/unit/test_*.c)))
FUZZERS := $(patsubst test/fuzz/%.c,%,$(sort $(wildcard test/fuzz/fuzz_*.c)))

# --- Third-party libraries: what a user of each gets on its command lines.
EXT_ALL := jsmn libmnl nghttp2 nanopb
EXT_INC_jsmn := $(B)/deps/jsmn/tree
EXT_INC_libmnl := $(B)/deps/libmnl/include
EXT_INC_nghttp2 := $(B)/deps/nghttp2/include
EXT_INC_nanopb := $(B)/deps/nanopb/tree
EXT_DEP_jsmn := $(B)/deps/jsmn/stamp
EXT_DEP_libmnl := $(B)/deps/libmnl/stamp
EXT_DEP_nghttp2 := $(B)/deps/nghttp2/stamp
EXT_DEP_nanopb := $(B)/deps/nanopb/stamp
EXT_LIBS_linked := libmnl nghttp2 nanopb
ext_cppflags = $(foreach e,$1,-isystem $(EXT_INC_$e))
ext_deps = $(foreach e,$1,$(EXT_DEP_$e))
# ext_libs LIBC,NAMES: LIBC is musl-ARCH or host.
ext_libs = $(foreach e,$(filter $(EXT_LIBS_linked),$2),$(B)/deps/$e/lib-$1/$e.a)

# --- Flags.
WARN := -Wall -Wextra -Werror -Wshadow -Wconversion -Wvla -Wformat=2 -Wstrict-prototypes \
	-Wmissing-prototypes -Wundef
WARN_GCC := $(WARN) -Wcast-align=strict
# Tests and fuzz drivers: cmocka's macros convert freely, wrapped functions have no prototype.
WARN_TEST := -Wall -Wextra -Werror -Wvla -Wformat=2 -Wundef
FRAME := -Wframe-larger-than=16384
# nanopb: strings that are not UTF-8 are refused, as proto3 wants.
NANOPB_DEFS := -DPB_VALIDATE_UTF8
CPPFLAGS_ALL := -std=gnu11 -D_GNU_SOURCE $(NANOPB_DEFS) -Isrc -I$(B)/gen
GCC_INC := $(shell $(MUSL_CC) -print-file-name=include 2>/dev/null)
MUSL_CPP := -nostdinc -isystem $(MUSL_INC) -isystem $(GCC_INC) -isystem $(SYSROOT)
HARDEN := -fPIE -fstack-protector-strong -fstack-clash-protection -ftrivial-auto-var-init=zero \
	$(ARCH_CFLAGS_$(ARCH))
MUSL_CODEGEN := $(HARDEN) -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables \
	-fno-unwind-tables -fno-common -ffile-prefix-map=$(CURDIR)=. -g
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -g

CC_rel := $(MUSL_CC)
CC_dbg := $(MUSL_CC)
CC_asan := $(HOST_CC)
CC_fuzz := $(CLANG)
CODEGEN_rel := $(MUSL_CPP) $(MUSL_CODEGEN) -Os
CODEGEN_dbg := $(MUSL_CPP) $(MUSL_CODEGEN) -Og
# GCC sees maybe-uninitialised values in sanitizer code that are not there.
CODEGEN_asan := $(SANITIZE) -O1 -Wno-maybe-uninitialized
CODEGEN_fuzz := $(SANITIZE) -O1 -fsanitize=fuzzer-no-link
WARN_rel := $(WARN_GCC) $(FRAME)
WARN_dbg := $(WARN_GCC) $(FRAME)
WARN_asan := $(WARN_GCC)
WARN_fuzz := $(WARN)
LIBC_rel := musl-$(ARCH)
LIBC_dbg := musl-$(ARCH)
LIBC_asan := host
LIBC_fuzz := host
READY_rel := $(B)/toolchain-$(ARCH) $(SYSROOT)/asm
READY_dbg := $(READY_rel)

# On Debian 12 musl-gcc -static-pie makes a dynamic executable and -static -pie one that is not PIE, both
# without a word; so the start files are named here and the linker is told directly. `make check-elf` asserts it.
GCC_FILE = $(shell $(MUSL_CC) -print-file-name=$1 2>/dev/null)
MUSL_START = $(MUSL_LIB)/rcrt1.o $(MUSL_LIB)/crti.o $(call GCC_FILE,crtbeginS.o)
MUSL_END = $(call GCC_FILE,crtendS.o) $(MUSL_LIB)/crtn.o
MUSL_LIBS = $(MUSL_LIB)/libc.a $(call GCC_FILE,libgcc.a) $(call GCC_FILE,libgcc_eh.a)
MUSL_LDFLAGS := -nostdlib -static -Wl,-pie,--no-dynamic-linker,-z,text,-z,relro,-z,now \
	-Wl,-z,noexecstack,-z,separate-code,--gc-sections,--build-id=sha1,--fatal-warnings

# --- The version: src/base/version.h holds the number; a build that is not exactly that tag says so.
VERSION := $(shell sed -n 's/.*FERRULE_VERSION "\(.*\)".*/\1/p' src/base/version.h 2>/dev/null)
DESCRIBE := $(if $(wildcard .git),$(shell git describe --tags --always --dirty 2>/dev/null))
BUILD_ID := $(if $(filter v$(VERSION),$(DESCRIBE)),,$(addprefix +,$(DESCRIBE)))

# --- Stamps: a file that is rewritten only when its content changes, so that what depends on it is
# rebuilt exactly then. $(call stamp,FILE,CONTENT)
differ = $(subst x$(strip $1),,x$(strip $2))$(subst x$(strip $2),,x$(strip $1))
define stamp
$1: $(if $(call differ,$(file <$1),$2),FORCE) | $(dir $1).
	$$(file >$1,$2)
endef
FORCE:
%/.:
	$(Q)mkdir -p $@
.PRECIOUS: %/.

CC_VERSION := $(shell $(MUSL_CC) -dumpfullversion 2>/dev/null)-$(notdir $(realpath $(MUSL_LIB)/libc.a))
FLAGS_rel = $(CC_rel) $(CC_VERSION) $(CPPFLAGS_ALL) $(WARN_rel) $(CODEGEN_rel) $(CFLAGS)
FLAGS_dbg = $(CC_dbg) $(CC_VERSION) $(CPPFLAGS_ALL) $(WARN_dbg) $(CODEGEN_dbg) $(CFLAGS)
FLAGS_asan = $(CC_asan) $(CC_VERSION) $(CPPFLAGS_ALL) $(WARN_asan) $(CODEGEN_asan) $(CFLAGS)
FLAGS_fuzz = $(CC_fuzz) $(CPPFLAGS_ALL) $(WARN_fuzz) $(CODEGEN_fuzz) $(CFLAGS)
$(foreach m,$(MODES),$(eval $(call stamp,$(O_$m)/flags,$(FLAGS_$m))))
$(eval $(call stamp,$(B)/gen/build-id,"$(BUILD_ID)"))

# --- Rules for one module in one mode: its objects and its archive.
compile = $(CC_$1) $(CPPFLAGS_ALL) $(EXT_CPP) $(WARN_$1) $(CODEGEN_$1) $(CFLAGS) $(OBJ_CPP) -MMD -MP

define module_rules
$1_$2_OBJS := $$(patsubst %.c,$(O_$1)/src/$2/%.o,$$($2_SRCS))
$$($1_$2_OBJS): EXT_CPP := $$(call ext_cppflags,$$($2_EXT))
$$($1_$2_OBJS): $(O_$1)/%.o: %.c $(O_$1)/flags $$(call ext_deps,$$($2_EXT)) \
		| $$($2_GEN) $(READY_$1)
	$$(SAY) CC $$@
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(call compile,$1) -c $$< -o $$@
$(O_$1)/lib$2.a: $$($1_$2_OBJS) src/$2/module.mk
	$$(SAY) AR $$@
	$$(Q)rm -f $$@
	$$(Q)$(AR) rcsD $$@ $$($1_$2_OBJS)
DEPFILES += $$($1_$2_OBJS:.o=.d)
endef
$(foreach m,$(MODES),$(foreach s,$(MODULES),$(eval $(call module_rules,$m,$s))))

# Only this object knows the build's identity: a commit rebuilds it and relinks, nothing else.
$(O_rel)/src/base/version.o: OBJ_CPP = -DFERRULE_BUILD='"$(BUILD_ID)"'
$(O_rel)/src/base/version.o: $(B)/gen/build-id
$(O_dbg)/src/base/version.o $(O_asan)/src/base/version.o $(O_fuzz)/src/base/version.o: \
	OBJ_CPP = -DFERRULE_BUILD='"+dev"'

# --- Rules for one program in one mode.
group = -Wl,--start-group $1 -Wl,--end-group
# link_MODE OUTPUT,OBJECTS,ARCHIVES
link_rel = $(MUSL_CC) $(MUSL_LDFLAGS) -o $1 $(MUSL_START) $2 $(call group,$3 $(MUSL_LIBS)) $(MUSL_END)
link_dbg = $(link_rel)
link_asan = $(HOST_CC) $(SANITIZE) -o $1 $2 $(call group,$3)

# tool_rules MODE,NAME,SOURCES,FOLDER OF THE PROGRAM,FILE THAT DESCRIBES IT
define tool_rules
$1_$2_OBJS := $$(patsubst %.c,$(O_$1)/%.o,$3)
$1_$2_LIBS := $$(patsubst %,$(O_$1)/lib%.a,$$($2_MODS)) $$(call ext_libs,$(LIBC_$1),$$($2_EXT))
$$($1_$2_OBJS): $(O_$1)/%.o: %.c $(O_$1)/flags | $(READY_$1)
	$$(SAY) CC $$@
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(call compile,$1) -c $$< -o $$@
$4/$2: $$($1_$2_OBJS) $$($1_$2_LIBS) $5 | $4/.
	$$(SAY) LINK $$@
	$$(Q)$$(call link_$1,$$@,$$($1_$2_OBJS),$$($1_$2_LIBS))
DEPFILES += $$($1_$2_OBJS:.o=.d)
endef
$(foreach m,rel dbg asan,$(foreach t,$(TOOLS),$(eval \
	$(call tool_rules,$m,$t,$(addprefix cmd/$t/,$($t_SRCS)),$(O_$m)/bin,cmd/$t/tool.mk))))
# Programs for tests and benchmarks: one source each, linked like a release program and for ASan.
$(foreach m,rel asan,$(foreach t,$(TEST_TOOLS),$(eval \
	$(call tool_rules,$m,$t,$(or $($t_SRC),test/tools/$t.c),$(TOOLS_DIR_$m),$(wildcard test/tools/*.mk)))))

$(TOOLS:%=$(BIN)/%): $(BIN)/%: $(O_rel)/bin/% | $(BIN)/.
	$(SAY) STRIP $@
	$(Q)$(OBJCOPY) --strip-all $< $@

all: $(MODULES:%=$(O_rel)/lib%.a) $(TOOLS:%=$(BIN)/%) ## build the release programs into build/bin (the default)
debug: $(TOOLS:%=$(O_dbg)/bin/%) ## build unstripped, unoptimised programs into build/dbg-ARCH/bin
asan: $(MODULES:%=$(O_asan)/lib%.a) $(TOOLS:%=$(O_asan)/bin/%) ## build programs with ASan and UBSan for this machine into build/asan/bin

tools: $(foreach m,rel asan,$(TEST_TOOLS:%=$(TOOLS_DIR_$m)/%)) ## build the programs tests and benchmarks use into build/tools

# --- What must be on the machine.
need = command -v $1 >/dev/null 2>&1 || { \
	echo "make: $1 is not installed; run scripts/setup (it names the packages)" >&2; exit 1; }
need_file = test -e $1 || { \
	echo "make: $1 is missing; run scripts/setup (it names the packages)" >&2; exit 1; }
$(B)/toolchain-$(ARCH): Makefile | $(B)/.
	$(Q)$(call need,$(MUSL_CC))
	$(Q)$(call need_file,$(MUSL_LIB)/rcrt1.o)
	$(Q)$(call need_file,$(MUSL_INC)/stdio.h)
	$(Q)$(call need_file,$(KERNEL_INC)/linux/rtnetlink.h)
	$(Q)$(call need_file,$(KERNEL_ASM)/types.h)
	$(Q)touch $@

# musl's headers do not include the kernel's, and /usr/include would bring glibc's: link just these.
$(SYSROOT)/asm: | $(B)/toolchain-$(ARCH) $(SYSROOT)/.
	$(Q)for d in linux asm-generic rdma mtd; do \
		if [ -d $(KERNEL_INC)/$$d ]; then ln -sfn $(KERNEL_INC)/$$d $(SYSROOT)/$$d; fi; done
	$(Q)ln -sfn $(KERNEL_ASM) $@

# --- Dependencies.
$(B)/deps/%/fetched: scripts/deps.lock | scripts/fetch-deps.sh
	$(SAY) FETCH $*
	$(Q)mkdir -p $(@D)
	$(Q)scripts/fetch-deps.sh $* $(HOST_ARCH) $(B)/deps/$*/tree
	$(Q)if [ $(ARCH) != $(HOST_ARCH) ]; then \
		scripts/fetch-deps.sh $* $(ARCH) $(B)/deps/$*/tree-$(ARCH); fi
	$(Q)touch $@
.PRECIOUS: $(B)/deps/%/fetched

$(EXT_DEP_jsmn): $(B)/deps/jsmn/fetched
	$(Q)test -f $(EXT_INC_jsmn)/jsmn.h
	$(Q)touch $@

# libmnl comes as source (preferred; built here) or as a package with a static archive. Its configure script
# would only find out what is known here: the compiler can set a symbol's visibility.
$(EXT_DEP_libmnl): $(B)/deps/libmnl/fetched
	$(Q)rm -rf $(EXT_INC_libmnl) && mkdir -p $(EXT_INC_libmnl)/libmnl
	$(Q)cd $(B)/deps/libmnl/tree && cp $$(ls include/libmnl/libmnl.h usr/include/libmnl/libmnl.h \
		2>/dev/null) $(CURDIR)/$(EXT_INC_libmnl)/libmnl/
	$(Q)for t in $(B)/deps/libmnl/tree*; do if [ -d $$t/src ]; then : >$$t/src/config.h; fi; done
	$(Q)touch $@
MNL_SRCS := attr.c callback.c nlmsg.c socket.c
MNL_CPP := -std=gnu11 -D_GNU_SOURCE -DHAVE_VISIBILITY_HIDDEN -w -I$(EXT_INC_libmnl)
# mnl_archive LIBC,ARCH,TREE,COMPILER AND FLAGS
define mnl_archive
$(B)/deps/libmnl/lib-$1/libmnl.a: $(EXT_DEP_libmnl) | $(READY_rel)
	$$(SAY) LIB $$@
	$$(Q)rm -rf $$(@D) && mkdir -p $$(@D)
	$$(Q)if [ -f $3/src/nlmsg.c ]; then set -e; \
		for f in $(MNL_SRCS:.c=); do $4 $(MNL_CPP) -c $3/src/$$$$f.c -o $$(@D)/$$$$f.o; done; \
		$(AR) rcsD $$@ $(MNL_SRCS:%.c=$$(@D)/%.o); \
	else cp $3/usr/lib/$2-linux-gnu/libmnl.a $$@; fi
endef
MNL_TREE := $(B)/deps/libmnl/tree$(if $(CROSS),-$(ARCH))
$(eval $(call mnl_archive,musl-$(ARCH),$(ARCH),$(MNL_TREE),$(CC_rel) $(CODEGEN_rel)))
$(eval $(call mnl_archive,host,$(HOST_ARCH),$(B)/deps/libmnl/tree,$(HOST_CC) -O1 -g -fPIC))

# nghttp2's configure script would find out what every Linux has. Only the library is compiled, not its programs.
$(EXT_DEP_nghttp2): $(B)/deps/nghttp2/fetched
	$(Q)rm -rf $(EXT_INC_nghttp2) && mkdir -p $(EXT_INC_nghttp2)/nghttp2
	$(Q)cp $(B)/deps/nghttp2/tree/lib/includes/nghttp2/nghttp2.h $(EXT_INC_nghttp2)/nghttp2/
	$(Q)v=$$(awk '$$1 == "nghttp2" { print $$2; exit }' scripts/deps.lock); \
	sed -e "s/@PACKAGE_VERSION@/$$v/" \
		-e "s/@PACKAGE_VERSION_NUM@/$$(printf '0x%02x%02x%02x' $$(echo $$v | tr . ' '))/" \
		$(B)/deps/nghttp2/tree/lib/includes/nghttp2/nghttp2ver.h.in \
		>$(EXT_INC_nghttp2)/nghttp2/nghttp2ver.h
	$(Q)touch $@
$(EXT_DEP_nanopb): $(B)/deps/nanopb/fetched
	$(Q)test -f $(EXT_INC_nanopb)/pb.h
	$(Q)touch $@
NGHTTP2_CPP := -std=gnu11 -D_GNU_SOURCE -w -DNGHTTP2_STATICLIB -DHAVE_ARPA_INET_H -DHAVE_NETINET_IN_H \
	-DHAVE_CLOCK_GETTIME -DHAVE_DECL_CLOCK_MONOTONIC=1 -I$(EXT_INC_nghttp2) -I$(B)/deps/nghttp2/tree/lib
NANOPB_CPP := -std=gnu11 -D_GNU_SOURCE -w $(NANOPB_DEFS) -I$(EXT_INC_nanopb)
# source_archive NAME,LIBC,PATTERN OF THE SOURCES,COMPILER AND FLAGS
define source_archive
$(B)/deps/$1/lib-$2/$1.a: $(EXT_DEP_$1) Makefile | $(READY_rel)
	$$(SAY) LIB $$@
	$$(Q)rm -rf $$(@D) && mkdir -p $$(@D)
	$$(Q)set -e; for f in $(B)/deps/$1/tree/$3; do $4 -c $$$$f -o $$(@D)/$$$$(basename $$$$f .c).o; done
	$$(Q)$(AR) rcsD $$@ $$(@D)/*.o
endef
$(eval $(call source_archive,nghttp2,musl-$(ARCH),lib/*.c,$(CC_rel) $(CODEGEN_rel) $(NGHTTP2_CPP)))
$(eval $(call source_archive,nghttp2,host,lib/*.c,$(HOST_CC) $(CODEGEN_asan) $(NGHTTP2_CPP)))
$(eval $(call source_archive,nanopb,musl-$(ARCH),pb_*.c,$(CC_rel) $(CODEGEN_rel) $(NANOPB_CPP)))
$(eval $(call source_archive,nanopb,host,pb_*.c,$(HOST_CC) $(CODEGEN_asan) $(NANOPB_CPP)))

# Messages: nanopb's generator makes C of src/MOD/X.proto and X.options, in build/gen/MOD.
$(B)/gen/%.pb.h $(B)/gen/%.pb.c: src/%.proto src/%.options $(EXT_DEP_nanopb)
	$(SAY) GEN $@
	$(Q)$(call need,protoc)
	$(Q)mkdir -p $(@D)
	$(Q)PYTHONDONTWRITEBYTECODE=1 $(PYTHON) $(B)/deps/nanopb/tree/generator/nanopb_generator.py -q \
		-I src -D $(B)/gen src/$*.proto
GEN := $(foreach s,$(MODULES),$($s_GEN))

# --- Unit tests: every test/unit/test_*.c is one program, linked with every module and library.
TEST_MODE := asan
TEST_EXT := $(sort $(foreach s,$(MODULES),$($s_EXT)))
TEST_LIBS := $(MODULES:%=$(O_asan)/lib%.a)
TEST_CPP := $(CPPFLAGS_ALL) -Itest -Itest/unit $(call ext_cppflags,$(TEST_EXT))
UNIT_BINS := $(UNIT_TESTS:%=$(O_asan)/unit/%)
REPLAY_BINS := $(FUZZERS:%=$(O_asan)/fuzz/%)
FUZZ_BINS := $(FUZZERS:%=$(O_fuzz)/bin/%)

$(UNIT_BINS): $(O_asan)/unit/%: test/unit/%.c $(TEST_LIBS) $(call ext_deps,$(TEST_EXT)) \
		$(call ext_libs,host,$(TEST_EXT)) $(wildcard test/unit/tests.mk) $(O_asan)/flags
	$(SAY) TEST $@
	$(Q)mkdir -p $(@D)
	$(Q)$(HOST_CC) $(TEST_CPP) $(WARN_TEST) $(CODEGEN_asan) $(CFLAGS) -MMD -MP -MT $@ -MF $@.d \
		$< -o $@ $(call group,$(TEST_LIBS) $(call ext_libs,host,$(TEST_EXT))) \
		$($*_LDFLAGS) -lcmocka
DEPFILES += $(UNIT_BINS:=.d)

$(REPLAY_BINS): $(O_asan)/fuzz/%: test/fuzz/%.c test/fuzz/replay.c $(wildcard test/fuzz/*.h) $(TEST_LIBS) \
		$(call ext_deps,$(TEST_EXT)) $(call ext_libs,host,$(TEST_EXT)) $(O_asan)/flags
	$(SAY) REPLAY $@
	$(Q)mkdir -p $(@D)
	$(Q)$(HOST_CC) $(TEST_CPP) $(WARN_TEST) $(CODEGEN_asan) $(CFLAGS) \
		$< test/fuzz/replay.c -o $@ \
		$(call group,$(TEST_LIBS) $(call ext_libs,host,$(TEST_EXT)))

FUZZ_LIBS := $(MODULES:%=$(O_fuzz)/lib%.a)
$(FUZZ_BINS): $(O_fuzz)/bin/%: test/fuzz/%.c $(wildcard test/fuzz/*.h) $(FUZZ_LIBS) \
		$(call ext_deps,$(TEST_EXT)) $(call ext_libs,host,$(TEST_EXT)) $(O_fuzz)/flags
	$(SAY) FUZZ $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(TEST_CPP) $(WARN_TEST) $(SANITIZE) -O1 -fsanitize=fuzzer $(CFLAGS) $< -o $@ \
		$(call group,$(FUZZ_LIBS) $(call ext_libs,host,$(TEST_EXT)))

unit: $(UNIT_BINS) ## build and run the unit tests (ASan, UBSan); T=json runs test_json*
	$(Q)scripts/run-unit.sh $(B)/test/unit $(filter $(O_asan)/unit/test_$(T)%,$(UNIT_BINS))
fuzz-replay: $(REPLAY_BINS) ## run every file of test/corpus through its fuzz target (gcc, ASan, UBSan)
	$(Q)scripts/run-fuzz.sh replay $(B)/test/fuzz-replay $(REPLAY_BINS)
fuzz: $(FUZZ_BINS) ## run each libFuzzer target for FUZZ_SECONDS (10) seconds, from FUZZ_SEED (0: another each time)
	$(Q)FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_SEED=$(FUZZ_SEED) scripts/run-fuzz.sh fuzz $(B)/test/fuzz $(FUZZ_BINS)
test-integration: all asan tools $(call ext_deps,$(EXT_ALL)) ## run test/integration (pytest, against the static programs)
	$(Q)PYTHON=$(PYTHON) scripts/run-pytest.sh $(B)/test/integration test/integration
test-lab: all tools ## run test/lab (pytest, on virtual functions in QEMU guests)
	$(Q)PYTHON=$(PYTHON) scripts/run-lab.sh $(B)/test/lab
test: ## run everything: lint, unit tests, fuzzing, ELF checks, integration and lab tests
	+$(Q)MAKE='$(MAKE)' scripts/run-all.sh
demo: all ## two virtual nodes, their VFs brought up, read over HTTP and given to pods, with a running commentary
	$(Q)scripts/demo-run.sh
bench: all tools ## measure the programs
	$(Q)scripts/bench.sh $(TOOLS_DIR_rel)

# --- Lint. One stamp a file, with the headers it includes as prerequisites: only what changed is checked again.
# clang-format's versions disagree about details, so formatting is checked with one major version alone.
FORMAT_MAJOR := 14
ALL_C := $(sort $(wildcard src/*/*.c cmd/*/*.c))
ALL_H := $(sort $(wildcard src/*/*.h cmd/*/*.h))
FORMATTED := $(ALL_C) $(ALL_H) $(sort $(wildcard test/*/*.c test/*/*.h test/*.h))
SHELL_FILES = $(shell grep -rlE '^\#!/bin/(ba)?sh' scripts .ci deploy test cmd 2>/dev/null)
LINT_C := $(ALL_C:%=$(B)/lint/%.ok)
LINT_H := $(ALL_H:%=$(B)/lint/%.ok)
lint_cpp = $(CPPFLAGS_ALL) $(call ext_cppflags,$($(word 2,$(subst /, ,$<))_EXT)) -DFERRULE_BUILD='""'
CPPCHECK := cppcheck --quiet --std=c11 --enable=warning,portability,performance --inline-suppr \
	--error-exitcode=1 --suppress=normalCheckLevelMaxBranches --suppress=missingIncludeSystem \
	--suppress=uninitvar
quietly = >$@.log 2>&1 || { cat $@.log >&2; exit 1; }

# -O0: an optimiser removes some of what the analyser would report. fd-leak: descriptors 0 to 2 are opened to stay.
$(LINT_C): $(B)/lint/%.ok: % .clang-tidy $(O_asan)/flags | $(call ext_deps,$(TEST_EXT)) $(GEN)
	$(SAY) LINT $<
	$(Q)mkdir -p $(@D)
	$(Q)$(HOST_CC) $(lint_cpp) $(WARN_GCC) -fanalyzer -Wno-analyzer-fd-leak \
		-O0 -S -o /dev/null -MMD -MP -MT $@ -MF $@.d $<
	$(Q)clang-tidy --quiet $< -- $(lint_cpp) $(WARN) $(quietly)
	$(Q)$(CPPCHECK) -Isrc -D_GNU_SOURCE $< $(quietly)
	$(Q)touch $@
$(LINT_H): $(B)/lint/%.ok: % $(O_asan)/flags | $(call ext_deps,$(TEST_EXT)) $(GEN)
	$(SAY) HEADER $<
	$(Q)mkdir -p $(@D)
	$(Q)$(HOST_CC) $(lint_cpp) $(WARN_GCC) -Wno-unused-function -x c -fsyntax-only -MMD -MP -MT $@ -MF $@.d $<
	$(Q)$(CLANG) $(lint_cpp) $(WARN) -Wno-unused-function -x c -fsyntax-only $<
	$(Q)touch $@
DEPFILES += $(LINT_C:=.d) $(LINT_H:=.d)

lint: lint-tree lint-format lint-shell check-headers lint-code ## check formatting, layers, banned calls, analysers
lint-code: $(LINT_C) ## gcc -fanalyzer, clang-tidy and cppcheck on src and cmd
check-headers: $(LINT_H) ## compile every header alone, with gcc and clang
lint-tree: ## check layers, third-party headers, banned calls, guards
	$(Q)scripts/lint-tree.py
lint-shell: ## check shell scripts with shellcheck
	$(Q)shellcheck $(SHELL_FILES)
lint-format: ## check formatting with clang-format
	$(Q)have=$$(clang-format --version | sed 's/.*version \([0-9]*\).*/\1/'); \
	if [ "$$have" != $(FORMAT_MAJOR) ]; then \
		echo "formatting is not checked: clang-format is $$have, the rules are for $(FORMAT_MAJOR)"; \
	elif [ -n "$(FORMATTED)" ]; then \
		clang-format --dry-run -Werror $(FORMATTED); fi

check-elf: all ## assert that the release programs are static, position independent and hardened
	$(Q)OBJDUMP=$(CROSS)objdump scripts/check-elf.sh $(ARCH) $(O_rel)/bin $(TOOLS:%=$(BIN)/%)
size: all ## print the size of the release programs
	$(Q)size $(TOOLS:%=$(BIN)/%)

dist: ## pack the committed tree into build/ferrule-VERSION.tar.gz, reproducibly
	$(Q)scripts/dist.sh $(VERSION) $(B)
install: all ## install the programs into DESTDIR/PREFIX/bin
	$(Q)install -d $(DESTDIR)$(PREFIX)/bin
	$(Q)install -m 755 $(TOOLS:%=$(BIN)/%) $(DESTDIR)$(PREFIX)/bin/
clean: ## remove build/, taking a lab down first
	$(Q)if [ -x scripts/lab ] && [ -d $(B)/lab ]; then scripts/lab down; fi
	$(Q)rm -rf $(B)
help: ## list these targets
	$(Q)sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | sort | \
		while IFS='	' read -r t h; do printf '  make %-17s %s\n' "$$t" "$$h"; done

.PHONY: all debug asan tools unit fuzz fuzz-replay test test-integration test-lab demo bench check-elf size \
	dist install clean help lint lint-code lint-tree lint-shell lint-format check-headers FORCE

ifeq ($(filter clean help,$(MAKECMDGOALS)),)
-include $(DEPFILES)
endif
