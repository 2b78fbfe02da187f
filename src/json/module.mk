MODULES += json
json_SRCS := cursor.c fields.c place.c read.c scan.c text.c value.c write.c
json_EXT := jsmn
# Megabytes go through it in each call of a scheduler.
$(O_rel)/src/json/cursor.o: OBJ_CPP := -O2
