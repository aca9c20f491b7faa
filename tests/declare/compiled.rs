//! Every example, beside the compiler.

use crate::compiler::{Sample, compare};

/// What C calls the type (nothing: it has no name), and the declaration as users paste it.
const EXAMPLES: &[(&str, &str)] = &[
    ("", "struct { int written; char text[2048]; }"),
    ("", "struct { int written; char text[1024]; }"),
    // The tutorial's header, as it goes around.
    (
        "struct shared_use_st",
        "#ifndef _SHMDATA_H_HEADER\n#define _SHMDATA_H_HEADER\n\n#define TEXT_SZ 2048\n\n\
      struct shared_use_st\n{\n\tint written;//作为一个标志，非0：表示可读，0表示可写\n\tchar text[TEXT_SZ];//记录写入和读取的文本\n};\n\n#endif\n",
    ),
    (
        "struct shared_use_st",
        "#pragma once\n#include <stdio.h>\n#include \"other.h\"\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\
      struct shared_use_st { int written_by_you; char some_text[BUFSIZ]; };\n#ifdef __cplusplus\n}\n#endif\n",
    ),
    // The simulator's.
    (
        "struct shared_memory",
        "/* key 4567 */\nstruct shared_memory {\n  int written;\n  uint8_t data[640*480*3];\n  int control;\n  int pause;\n\
      double fast;\n  double dist_raced, dist_L, toMarking_L, speed;\n};",
    ),
    (
        "shm_t",
        "typedef struct shm { volatile int flag; unsigned char image[3][480][640]; float steer, accel, brake; } shm_t;",
    ),
    ("shared_t", "typedef struct\n{\n  int mat[9];\n  int flag;\n}\nshared_t;"),
    ("struct msg", "struct msg { char line[80]; char ready; };"),
    ("struct msg", "struct msg { bool full; char text[255]; };"),
    ("struct msg", "struct msg { _Bool full, other; short a, b[3], c; long long d; };"),
    ("struct two", "struct slot { int written; char text[16]; };\nstruct two { struct slot a, b[2]; int written; };"),
    (
        "struct all",
        "struct all { char c; signed char sc; unsigned char uc; short s; unsigned short us; short int si; int i; unsigned u;\n\
      unsigned int ui; signed si2; long l; unsigned long ul; long int li; long unsigned int lui; long long ll; unsigned long long ull;\n\
      long long int lli; float f; double d; long double ld; __int128 wide; unsigned __int128 uwide; char last; int flag; };",
    ),
    (
        "struct fixed",
        "struct fixed { int8_t a; uint8_t b; int16_t c; uint16_t d; int32_t e; uint32_t f; int64_t g; uint64_t h; u_int8_t i;\n\
      u_int16_t j; u_int32_t k; u_int64_t l; intptr_t m; uintptr_t n; intmax_t o; uintmax_t p; size_t q; ssize_t r; ptrdiff_t s;\n\
      int_least8_t t; uint_fast8_t u; int_fast64_t v; uint_least16_t w; char x; int flag; };",
    ),
    (
        "struct posix",
        "struct posix { char a; pid_t b; char c; key_t d; char e; time_t f; char g; off_t h; uid_t i; char j; gid_t k; mode_t l;\n\
      dev_t m; ino_t n; nlink_t o; char p; clock_t q; char r; suseconds_t s; useconds_t t; id_t u; char v; wchar_t w; clockid_t x;\n\
      sig_atomic_t y; blksize_t z; blkcnt_t aa; socklen_t ab; in_port_t ac; in_addr_t ad; sa_family_t ae; u_char af; u_short ag;\n\
      u_int ah; u_long ai; char aj; char16_t ak; char32_t al; ushort am; uint an; ulong ao; int flag; };",
    ),
    (
        "struct locks",
        "struct locks { char a; sem_t b; char c; pthread_mutex_t d; char e; pthread_cond_t f; char g; pthread_rwlock_t h; char i;\n\
      pthread_barrier_t j; char k; pthread_spinlock_t l; char m; pthread_t n; char o; pthread_mutexattr_t p; char q;\n\
      pthread_condattr_t r; char s; atomic_flag t; int flag; };",
    ),
    (
        "struct times",
        "struct times { char a; struct timespec b; char c; struct timeval d; char e; struct tm f; struct in_addr g; char h;\n\
      struct sockaddr_in i; int flag; };",
    ),
    (
        "struct atomics",
        "struct atomics { _Atomic int written; char a; _Atomic(short) b; atomic_int c; atomic_bool d; atomic_long e; atomic_uchar f;\n\
      atomic_ullong g; atomic_char h; const volatile int i; int volatile j; };",
    ),
    (
        "struct nested",
        "struct nested { int ready; struct point { float x, y; } from, to[2]; struct { char tag; struct { double deep; } in; } row[3][2]; };",
    ),
    (
        "struct anonymous",
        "struct anonymous { char a; struct { char b; struct { int c; char d; }; long e; }; int flag; struct { short f; } g; };",
    ),
    (
        "struct unions",
        "struct unions { int written; union { char a; double b; }; union named { short s[5]; } u; char text[10]; };",
    ),
    (
        "struct enums",
        "enum color { RED, GREEN = 5, BLUE };\nenum sign { MINUS = -1, PLUS };\nenum wide { LOW, HIGH = 0x100000000 };\n\
      typedef enum { OFF, ON } state_t;\nstruct enums { char a; enum color b; char c; enum sign d; char e; enum wide f; state_t written;\n\
      char g[GREEN]; char h[BLUE][ON + 1]; enum { LEN = 7 } i; char j[LEN]; };",
    ),
    (
        "struct sizes",
        "#define WIDTH 640\n#define HEIGHT (WIDTH * 3 / 4)\n#define DEPTH 3\n#define SIZE WIDTH*HEIGHT*DEPTH\n#define BIT(n) (1 << (n))\n\
      #define K (1 << 10)\n#define MASK 0xFFu\nenum { COUNT = sizeof(int) * 2 };\ntypedef struct { char a; int b; } pair_t;\n\
      struct sizes { int written; char a[SIZE]; char b[2*K]; char c[MASK + 1]; char d[COUNT]; char e[sizeof(pair_t)];\n\
      char f[sizeof(struct timeval[2])]; char g[010 + 0x10 + 0b11]; char h[(WIDTH > 320) ? 5 : 6]; char i['A']; char j[-(-3)];\n\
      char k[~0u >> 28]; char l[!0 + !5]; char m[100 % 7 | 8 & 12 ^ 3]; char n[(unsigned char)300]; char o[(size_t)4]; char p[1 == 1 && 2 != 3 || 0];\n\
      char q[10 - 3 - 2]; char r[64 / 4 / 2]; char s[1 ? 2 : 0 ? 3 : 4]; char t[2147483648 >> 28]; char u[7 <= 8]; char v[sizeof(long) - 1]; char w[BUFSIZ], x[PATH_MAX], y[NAME_MAX], z[CHAR_BIT], aa[INT_MAX]; };",
    ),
    (
        "struct kinds",
        "#define BYTE unsigned char\n#define PACKED __attribute__((packed))\n#define EMPTY\ntypedef BYTE byte_t;\ntypedef char name_t[32];\n\
      typedef name_t names_t[4];\ntypedef int flag_t, *pointer_t;\n\
      struct kinds { flag_t EMPTY written; byte_t a; name_t b; name_t c[2]; names_t d; names_t e[3]; BYTE f; } PACKED;",
    ),
    (
        "struct packed",
        "#pragma pack(push, 1)\nstruct inner { char a; double b; };\n#pragma pack(pop)\n\
      struct packed { char a; struct inner b; int c; int flag; };",
    ),
    (
        "struct other",
        "#pragma pack(2)\nstruct packed { char a; double b; int c; short d; long e; } ;\n#pragma pack()\nstruct other { char a; double b; int flag; struct packed c; };",
    ),
    (
        "struct packed",
        "#pragma pack(push)\n#pragma pack(4)\n#pragma pack(push, 8)\n#pragma pack(pop)\nstruct packed { char a; double b; int flag; };\n#pragma pack(pop)\n",
    ),
    (
        "struct packed",
        "struct __attribute__((packed)) packed { int flag; char a; double b; struct { char c; int d; } e; short f; };",
    ),
    ("packed_t", "typedef struct { int flag; char a; double b; } __attribute__((__packed__, aligned(4))) packed_t;"),
    (
        "struct aligned",
        "struct aligned { char a; int flag __attribute__((aligned(64))); char b; double c __attribute__((packed)); char d; int e __attribute__((packed, aligned(2)));\n\
      alignas(16) char f; _Alignas(double) char g; char h; char i[3] __attribute__((aligned)); };",
    ),
    (
        "struct aligned",
        "typedef int wide_t __attribute__((aligned(16)));\nstruct inner { char a; } __attribute__((aligned(8)));\n\
      struct aligned { char a; wide_t b; char c; struct inner d; int flag; };",
    ),
    (
        "struct aligned",
        "#pragma pack(push, 2)\nstruct inner { char a; } __attribute__((aligned(8)));\nstruct aligned { char a; struct inner b; int c __attribute__((aligned(8))); int flag; };\n#pragma pack(pop)",
    ),
    (
        "struct aligned",
        "struct inner { char a; int b; } __attribute__((aligned(32)));\nstruct __attribute__((packed)) aligned { char a; struct inner b; int c __attribute__((aligned(4))); int flag; };",
    ),
    (
        "struct later",
        "typedef struct later later_t;\nstruct later { int written; char text[10]; };\ntypedef struct later *later_p;\ntypedef void (*call_t)(int, char *);\n\
      extern later_t *shared;\nvoid reset(later_t *p);\nstatic inline int size(void) { return sizeof(struct later); }\nenum { A, B };\n",
    ),
    (
        "struct conditions",
        "#if 0\nstruct wrong { int written; };\n#elif defined(__linux__) && !defined _WIN32\n#if UNKNOWN > 3\n#define N 1\n#else\n#define N 5\n#endif\n#else\nnonsense '\n#endif\n\
      #define X N\n#undef N\n#define N 6\n#ifndef X\n#error don't\n#endif\nstruct conditions { int written; char text[X]; char more[N] ; };",
    ),
    (
        "struct continued",
        "#define LEN 10 \\\n  + 20\n#define M /* a comment\n over lines */ 5\nstruct continued { int written; /* one */ char text[LEN]; // two\n char m[M]; };",
    ),
];

#[test]
fn every_example_lies_as_the_compiler_places_it() {
    let samples: Vec<_> = EXAMPLES
        .iter()
        .map(|(c_type, declaration)| Sample {
            before: "",
            c_type: (*c_type).to_owned(),
            declaration: (*declaration).to_owned(),
        })
        .collect();
    compare("examples", &samples);
}
