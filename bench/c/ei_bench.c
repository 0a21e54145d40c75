/* Times Erlang's C library, ei, for a parent that asks on standard input:
 *
 *   load NAME LENGTH\n and the bytes of a term   ok
 *   decode NAME N                                nanoseconds for N times
 *   encode NAME N                                nanoseconds for N times
 *   encoded NAME 1                               length\n and the bytes
 *
 * An answer is a line; one that starts with "error" says what failed. To decode
 * is to build a tree that owns its bytes, and to free it; to encode is to write
 * that tree into a buffer that is large enough. */
#include <ei.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef enum { INT, UINT, BIG, FLOAT, ATOM, BINARY, CHARS, LIST, TUPLE, MAP } kind;

typedef struct node {
    kind kind;
    int size; /* bytes, elements, or pairs */
    union {
        long long i;
        unsigned long long u;
        double f;
        char *bytes;
        struct node *elems;
        erlang_big *big;
    } v;
} node;

static int decode_nodes(const char *buf, int *index, node **nodes, int n);

static void free_node(node *t)
{
    int i, n = t->size;
    switch (t->kind) {
    case ATOM: case BINARY: case CHARS:
        free(t->v.bytes);
        break;
    case MAP:
        n *= 2; /* fall through */
    case LIST: case TUPLE:
        for (i = 0; i < n; i++)
            free_node(&t->v.elems[i]);
        free(t->v.elems);
        break;
    case BIG:
        ei_free_big(t->v.big);
        break;
    default:
        break;
    }
}

static int decode_big(const char *buf, int *index, node *t, int size)
{
    if (ei_decode_longlong(buf, index, &t->v.i) == 0) {
        t->kind = INT;
        return 0;
    }
    if (ei_decode_ulonglong(buf, index, &t->v.u) == 0) {
        t->kind = UINT;
        return 0;
    }
    t->kind = BIG;
    if ((t->v.big = ei_alloc_big(size)) == NULL)
        return -1;
    return ei_decode_big(buf, index, t->v.big);
}

static int decode_node(const char *buf, int *index, node *t)
{
    int type, size, arity;
    long length;
    if (ei_get_type(buf, index, &type, &size) < 0)
        return -1;
    t->size = size;
    switch (type) {
    case ERL_SMALL_INTEGER_EXT: case ERL_INTEGER_EXT:
        t->kind = INT;
        return ei_decode_longlong(buf, index, &t->v.i);
    case ERL_SMALL_BIG_EXT: case ERL_LARGE_BIG_EXT:
        return decode_big(buf, index, t, size);
    case NEW_FLOAT_EXT: case ERL_FLOAT_EXT:
        t->kind = FLOAT;
        return ei_decode_double(buf, index, &t->v.f);
    case ERL_ATOM_EXT: case ERL_SMALL_ATOM_EXT: case ERL_ATOM_UTF8_EXT: case ERL_SMALL_ATOM_UTF8_EXT: {
        char name[MAXATOMLEN_UTF8];
        t->kind = ATOM;
        if (ei_decode_atom_as(buf, index, name, sizeof name, ERLANG_UTF8, NULL, NULL) < 0)
            return -1;
        t->size = strlen(name);
        if ((t->v.bytes = malloc(t->size + 1)) == NULL)
            return -1;
        memcpy(t->v.bytes, name, t->size + 1);
        return 0;
    }
    case ERL_BINARY_EXT:
        t->kind = BINARY;
        t->v.bytes = malloc(size ? size : 1);
        return ei_decode_binary(buf, index, t->v.bytes, &length);
    case ERL_STRING_EXT:
        t->kind = CHARS;
        t->v.bytes = malloc(size + 1);
        return ei_decode_string(buf, index, t->v.bytes);
    case ERL_NIL_EXT: case ERL_LIST_EXT:
        t->kind = LIST;
        if (ei_decode_list_header(buf, index, &t->size) < 0)
            return -1;
        if (decode_nodes(buf, index, &t->v.elems, t->size) < 0)
            return -1;
        if (t->size == 0)
            return 0;
        return ei_decode_list_header(buf, index, &arity) < 0 || arity != 0 ? -1 : 0;
    case ERL_SMALL_TUPLE_EXT: case ERL_LARGE_TUPLE_EXT:
        t->kind = TUPLE;
        if (ei_decode_tuple_header(buf, index, &t->size) < 0)
            return -1;
        return decode_nodes(buf, index, &t->v.elems, t->size);
    case ERL_MAP_EXT:
        t->kind = MAP;
        if (ei_decode_map_header(buf, index, &t->size) < 0)
            return -1;
        return decode_nodes(buf, index, &t->v.elems, 2 * t->size);
    }
    return -1;
}

static int decode_nodes(const char *buf, int *index, node **nodes, int n)
{
    int i;
    if ((*nodes = malloc(n ? n * sizeof(node) : 1)) == NULL)
        return -1;
    for (i = 0; i < n; i++)
        if (decode_node(buf, index, &(*nodes)[i]) < 0)
            return -1;
    return 0;
}

static int encode_node(char *buf, int *index, const node *t)
{
    int i, n = t->size;
    switch (t->kind) {
    case INT:    return ei_encode_longlong(buf, index, t->v.i);
    case UINT:   return ei_encode_ulonglong(buf, index, t->v.u);
    case BIG:    return ei_encode_big(buf, index, t->v.big);
    case FLOAT:  return ei_encode_double(buf, index, t->v.f);
    case ATOM:   return ei_encode_atom_len_as(buf, index, t->v.bytes, t->size, ERLANG_UTF8, ERLANG_UTF8);
    case BINARY: return ei_encode_binary(buf, index, t->v.bytes, t->size);
    case CHARS:  return ei_encode_string_len(buf, index, t->v.bytes, t->size);
    case LIST:
        if (n > 0 && ei_encode_list_header(buf, index, n) < 0)
            return -1;
        break;
    case TUPLE:
        if (ei_encode_tuple_header(buf, index, n) < 0)
            return -1;
        break;
    case MAP:
        if (ei_encode_map_header(buf, index, n) < 0)
            return -1;
        n *= 2;
        break;
    }
    for (i = 0; i < n; i++)
        if (encode_node(buf, index, &t->v.elems[i]) < 0)
            return -1;
    return t->kind == LIST ? ei_encode_empty_list(buf, index) : 0;
}

static int decode(const char *buf, node *t)
{
    int index = 0, version;
    return ei_decode_version(buf, &index, &version) < 0 ? -1 : decode_node(buf, &index, t);
}

static int encode(char *buf, const node *t)
{
    int index = 0;
    return ei_encode_version(buf, &index) < 0 || encode_node(buf, &index, t) < 0 ? -1 : index;
}

static struct { char name[64]; char *bytes; long length; } loaded[64];
static int loads;

static long long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void answer(const char *verb, int w, long n)
{
    node t;
    long i;
    long long before = now();
    char *out;
    int length;
    if (strcmp(verb, "decode") == 0) {
        for (i = 0; i < n; i++) {
            if (decode(loaded[w].bytes, &t) < 0) {
                printf("error ei refuses the term\n");
                return;
            }
            free_node(&t);
        }
        printf("%lld\n", now() - before);
        return;
    }
    if (decode(loaded[w].bytes, &t) < 0 || (out = malloc(2 * loaded[w].length + 64)) == NULL) {
        printf("error ei refuses the term\n");
        return;
    }
    before = now();
    for (i = 0, length = 0; i < n && length >= 0; i++)
        length = encode(out, &t);
    if (length < 0)
        printf("error ei does not encode the term\n");
    else if (strcmp(verb, "encode") == 0)
        printf("%lld\n", now() - before);
    else {
        printf("%d\n", length);
        fwrite(out, 1, length, stdout);
    }
    free(out);
    free_node(&t);
}

int main(void)
{
    char verb[16], name[64];
    long n;
    int w;
    if (ei_init() != 0)
        return 1;
    while (scanf("%15s %63s %ld", verb, name, &n) == 3) {
        getchar(); /* the newline */
        for (w = 0; w < loads && strcmp(loaded[w].name, name) != 0; w++)
            ;
        if (strcmp(verb, "load") == 0) {
            if (w == 64)
                return 1;
            if (w == loads)
                loads++;
            free(loaded[w].bytes);
            strcpy(loaded[w].name, name);
            loaded[w].length = n;
            if ((loaded[w].bytes = malloc(n)) == NULL || fread(loaded[w].bytes, 1, n, stdin) != (size_t)n)
                return 1;
            printf("ok\n");
        } else if (w == loads)
            printf("error no such workload\n");
        else
            answer(verb, w, n);
        fflush(stdout);
    }
    return 0;
}
