// SPDX-License-Identifier: MIT
// Runs a fuzz target on files: each one twice, so that state left by the first run shows.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { REPLAY_MAX_BYTES = 1 << 24 };

// Every run gets a heap copy of exactly the input's size: ASan sees a read behind its end.
static void run(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy) {
		perror("malloc");
		exit(1);
	}
	memcpy(copy, data, size);
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static int replay(const char *path, uint8_t *buf)
{
	FILE *f = fopen(path, "rb");
	size_t size;

	if (!f) {
		perror(path);
		return -1;
	}
	size = fread(buf, 1, REPLAY_MAX_BYTES, f);
	if (ferror(f) || !feof(f)) {
		fprintf(stderr, "%s: cannot be read, or is larger than %d bytes\n", path,
			REPLAY_MAX_BYTES);
		fclose(f);
		return -1;
	}
	fclose(f);
	// Named before it runs: the last name printed is the one that crashed.
	printf("%s\n", path);
	fflush(stdout);
	run(buf, size);
	run(buf, size);
	return 0;
}

int main(int argc, char **argv)
{
	uint8_t *buf = malloc(REPLAY_MAX_BYTES);
	int bad = 0;

	if (!buf || argc < 2) {
		fprintf(stderr, "usage: %s FILE...\n", argv[0]);
		return 1;
	}
	for (int i = 1; i < argc; i++) {
		if (replay(argv[i], buf) < 0) {
			bad = 1;
		}
	}
	free(buf);
	return bad;
}
