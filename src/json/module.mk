MODULES += json
json_SRCS := fields.c place.c read.c scan.c text.c value.c write.c
json_EXT := jsmn
