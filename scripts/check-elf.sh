#!/bin/sh
# SPDX-License-Identifier: MIT
# Asserts what our release programs promise about themselves.
#
#   scripts/check-elf.sh ARCH SYMBOLS_DIR FILE...
#
# SYMBOLS_DIR has the unstripped program of the same name; its build-id must be that of FILE. The size budget is
# in scripts/size-budget.txt. OBJDUMP names an objdump that knows ARCH. Prints every promise that is broken; the
# exit status is 1 if any is.
set -u

budgets=${SIZE_BUDGET:-$(dirname "$0")/size-budget.txt}
bad=0

[ $# -ge 3 ] || {
	echo "check-elf: no program to check; usage: $0 ARCH SYMBOLS_DIR FILE..." >&2
	exit 1
}
arch=$1
symbols=$2
shift 2
case $arch in
x86_64)
	machine='Advanced Micro Devices X86-64'
	arch_flag=-fcf-protection=full
	;;
aarch64)
	machine=AArch64
	arch_flag=-mbranch-protection=standard
	;;
*)
	echo "check-elf: unknown architecture $arch" >&2
	exit 1
	;;
esac
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

fail() {
	printf 'FAIL  %s: %s\n' "$file" "$*"
	bad=1
	file_bad=1
}

# has PATTERN REPORT: whether the report has such a line.
has() {
	grep -Eq -- "$1" "$work/$2"
}

build_id() {
	readelf -nW "$1" 2>/dev/null | sed -n 's/.*Build ID: *//p'
}

check_layout() {
	has "^ *Machine: +$machine\$" header || fail "is not for $arch"
	has '^ *Type: +DYN' header || fail "is not position independent: ELF type is not DYN"
	! has '^ *INTERP ' segments || fail "is dynamic: has a PT_INTERP segment"
	! has '\(NEEDED\)' dynamic || fail "is dynamic: needs$(sed -n 's/.*(NEEDED).*\[\(.*\)\].*/ \1/p' "$work/dynamic" | tr -d '\n')"
	has '^ *GNU_RELRO ' segments || fail "has no GNU_RELRO segment"
	has 'BIND_NOW|FLAGS_1.* NOW' dynamic || fail "does not bind at start: no BIND_NOW flag"
	! has '\(TEXTREL\)|FLAGS.* TEXTREL' dynamic || fail "has text relocations (TEXTREL)"
	! has '^ *LOAD .* (RWE|WE) ' segments || fail "has a segment that is writable and executable"
	has '^ *GNU_STACK ' segments || fail "has no GNU_STACK segment: its stack would be executable"
	! has '^ *GNU_STACK .* R?W?E ' segments || fail "has an executable stack"
}

# The compiler writes its flags into the debug information of every unit. All of ours must have these; what is
# in libc.a is the distribution's business.
check_flags() {
	if [ ! -f "$symbols/$name" ]; then
		fail "has no unstripped twin $symbols/$name to read the compiler's flags from"
		return
	fi
	id=$(build_id "$file")
	if [ -z "$id" ] || [ "$id" != "$(build_id "$symbols/$name")" ]; then
		fail "is not what $symbols/$name was stripped to: build-ids differ"
	fi
	readelf --debug-dump=info --dwarf-depth=1 -W "$symbols/$name" 2>/dev/null >"$work/units"
	for flag in -fstack-protector-strong -fstack-clash-protection -ftrivial-auto-var-init=zero $arch_flag; do
		awk -v flag="$flag" '
			/DW_AT_producer/ { producer = $0 " " }
			/DW_AT_name/ && $NF ~ /^(src|cmd|build\/gen)\// {
				n++
				if (!match(producer, " " flag "[ =]")) {
					print "has " $NF " built without " flag
				}
			}
			END { if (!n) print "has no unit of src/ or cmd/ in its debug information" }' "$work/units"
	done | LC_ALL=C sort -u >"$work/broken"
	while read -r what; do
		fail "$what"
	done <"$work/broken"
	"${OBJDUMP:-objdump}" -d "$symbols/$name" 2>/dev/null | grep -q '<__stack_chk_fail>$' ||
		fail "has no stack protector: nothing calls __stack_chk_fail"
}

check_size() {
	size=$(wc -c <"$file")
	budget=$(awk -v name="$name" '$1 == name { print $2 }' "$budgets" 2>/dev/null)
	if [ -z "$budget" ]; then
		fail "has no line in $budgets"
	elif [ "$size" -gt "$budget" ]; then
		fail "has $size bytes, its budget in $budgets is $budget"
	fi
}

for file in "$@"; do
	name=${file##*/}
	file_bad=0
	if ! readelf -hW "$file" >"$work/header" 2>/dev/null || [ ! -s "$work/header" ]; then
		fail "is not an ELF file, or cannot be read"
		continue
	fi
	readelf -lW "$file" >"$work/segments" 2>/dev/null
	readelf -dW "$file" >"$work/dynamic" 2>/dev/null
	check_layout
	check_flags
	check_size
	[ "$file_bad" -ne 0 ] || printf 'ok    %s: %s bytes of %s\n' "$file" "$size" "$budget"
done
exit $bad
