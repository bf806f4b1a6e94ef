# embed.awk - paths, one a line, to an assembler file that defines embed_files (see embed.h).
# SPDX-License-Identifier: MIT
function base(path) { sub(/.*\//, "", path); return path }
BEGIN { n = 0 }
NF {
	path[n] = $0
	name[n] = $0 ~ /node_modules/ ? "web/" base($0) : $0
	n++
}
END {
	print "\t.section .rodata\n\t.balign 16"
	for (i = 0; i < n; i++) {
		printf ".Lname%d: .asciz \"%s\"\n", i, name[i]
		printf ".Ldata%d: .incbin \"%s\"\n.Lend%d: .byte 0\n", i, path[i], i
	}
	print "\t.section .data.rel.ro,\"aw\"\n\t.balign 8"
	print "\t.globl embed_files\n\t.type embed_files, %object\nembed_files:"
	for (i = 0; i < n; i++)
		printf "\t.quad .Lname%d, .Ldata%d, .Lend%d\n", i, i, i
	print "\t.quad 0, 0, 0\n\t.size embed_files, . - embed_files"
	print "\t.section .note.GNU-stack,\"\",%progbits"
}
