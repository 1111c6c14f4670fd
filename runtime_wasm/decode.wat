;; Read the request: MessagePack to cells (docs/abi.md A2). The reader's state is in scratch: position at +0, end at +4.
;; A malformed input is -1 in place of a cell's address, all the way up.

;; The cells of a request at input: the address of eight i32 cell addresses in the order of A2.1, or 0 if malformed.
(func $decode_request (param $input i32) (param $length i32) (result i32)
  (local $table i32) (local $i i32) (local $tag i32)
  (local.set $table (call $decode_array (local.get $input) (local.get $length) (i32.const 8)))
  (if (i32.eqz (local.get $table)) (then (return (i32.const 0))))
  (if (i32.ne (call $tag (i32.load (local.get $table))) (i32.const 6)) (then (return (i32.const 0))))
  (if (i32.ne (call $tag (i32.load offset=4 (local.get $table))) (i32.const 6)) (then (return (i32.const 0))))
  (local.set $i (i32.const 12))
  (loop $next
    (local.set $tag (call $tag (i32.load (i32.add (local.get $table) (local.get $i)))))
    (if (i32.and (i32.ne (local.get $tag) (i32.const 9)) (i32.ne (local.get $tag) (i32.const 0)))
      (then (return (i32.const 0))))
    (local.set $i (i32.add (local.get $i) (i32.const 4)))
    (br_if $next (i32.lt_u (local.get $i) (i32.const 28))))
  (local.get $table))

;; The cells of an array of exactly count values that fills the input: the address of their addresses, or 0.
(func $decode_array (param $input i32) (param $length i32) (param $count i32) (result i32)
  (local $table i32) (local $i i32) (local $cell i32) (local $byte i32)
  (i32.store (global.get $scratch) (local.get $input))
  (i32.store offset=4 (global.get $scratch) (i32.add (local.get $input) (local.get $length)))
  (local.set $byte (call $take (i32.const 1)))
  (if (i32.lt_s (local.get $byte) (i32.const 0)) (then (return (i32.const 0))))
  (if (i32.ne (i32.load8_u (local.get $byte)) (i32.or (i32.const 0x90) (local.get $count)))
    (then
      (if (i32.ne (i32.load8_u (local.get $byte)) (i32.const 0xdc)) (then (return (i32.const 0))))
      (local.set $byte (call $take (i32.const 2)))
      (if (i32.lt_s (local.get $byte) (i32.const 0)) (then (return (i32.const 0))))
      (if (i32.ne (call $big16 (local.get $byte)) (local.get $count)) (then (return (i32.const 0))))))
  (local.set $table (call $alloc (i32.shl (local.get $count) (i32.const 2))))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $i) (local.get $count)))
      (local.set $cell (call $decode_value (i32.const 1)))
      (if (i32.lt_s (local.get $cell) (i32.const 0)) (then (return (i32.const 0))))
      (i32.store (i32.add (local.get $table) (i32.shl (local.get $i) (i32.const 2))) (local.get $cell))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
  (if (i32.ne (i32.load (global.get $scratch)) (i32.load offset=4 (global.get $scratch)))
    (then (return (i32.const 0))))
  (local.get $table))

;; Moves the position on by size bytes; the position before, or -1 where the input ends first.
(func $take (param $size i32) (result i32)
  (local $position i32)
  (local.set $position (i32.load (global.get $scratch)))
  (if (i32.gt_u (local.get $size) (i32.sub (i32.load offset=4 (global.get $scratch)) (local.get $position)))
    (then (return (i32.const -1))))
  (i32.store (global.get $scratch) (i32.add (local.get $position) (local.get $size)))
  (local.get $position))

;; The 16-bit big-endian number at an address.
(func $big16 (param $at i32) (result i32)
  (i32.or (i32.shl (i32.load8_u (local.get $at)) (i32.const 8)) (i32.load8_u offset=1 (local.get $at))))

;; The 32-bit big-endian number at an address.
(func $big32 (param $at i32) (result i32)
  (i32.or
    (i32.shl (call $big16 (local.get $at)) (i32.const 16))
    (call $big16 (i32.add (local.get $at) (i32.const 2)))))

;; The 64-bit big-endian number at an address.
(func $big64 (param $at i32) (result i64)
  (i64.or
    (i64.shl (i64.extend_i32_u (call $big32 (local.get $at))) (i64.const 32))
    (i64.extend_i32_u (call $big32 (i32.add (local.get $at) (i32.const 4))))))

;; An unsigned number of size bytes (1, 2 or 4) at the position; -1 at the end of the input, or above 2^31 - 1.
(func $take_length (param $size i32) (result i32)
  (local $at i32)
  (local.set $at (call $take (local.get $size)))
  (if (i32.lt_s (local.get $at) (i32.const 0)) (then (return (i32.const -1))))
  (if (i32.eq (local.get $size) (i32.const 1)) (then (return (i32.load8_u (local.get $at)))))
  (if (i32.eq (local.get $size) (i32.const 2)) (then (return (call $big16 (local.get $at)))))
  (local.set $at (call $big32 (local.get $at)))
  (select (local.get $at) (i32.const -1) (i32.ge_s (local.get $at) (i32.const 0))))

;; The value at the position. depth: of a list or map that stands here, from 1 (L1.5).
(func $decode_value (param $depth i32) (result i32)
  (local $at i32) (local $byte i32)
  (local.set $at (call $take (i32.const 1)))
  (if (i32.lt_s (local.get $at) (i32.const 0)) (then (return (i32.const -1))))
  (local.set $byte (i32.load8_u (local.get $at)))
  (if (i32.lt_u (local.get $byte) (i32.const 0x80))
    (then (return (call $new_int (i64.extend_i32_u (local.get $byte))))))
  (if (i32.lt_u (local.get $byte) (i32.const 0x90))
    (then (return (call $decode_map (i32.and (local.get $byte) (i32.const 15)) (local.get $depth)))))
  (if (i32.lt_u (local.get $byte) (i32.const 0xa0))
    (then (return (call $decode_list (i32.and (local.get $byte) (i32.const 15)) (local.get $depth)))))
  (if (i32.lt_u (local.get $byte) (i32.const 0xc0))
    (then (return (call $decode_text (i32.and (local.get $byte) (i32.const 31))))))
  (if (i32.ge_u (local.get $byte) (i32.const 0xe0))
    (then (return (call $new_int (i64.extend8_s (i64.extend_i32_u (local.get $byte)))))))
  (call $decode_marked (local.get $byte) (local.get $depth)))

;; The value behind a byte 0xc0 to 0xdf.
(func $decode_marked (param $byte i32) (param $depth i32) (result i32)
  (if (i32.eq (local.get $byte) (i32.const 0xc0)) (then (return (i32.const 512))))
  (if (i32.eq (local.get $byte) (i32.const 0xc2)) (then (return (i32.const 528))))
  (if (i32.eq (local.get $byte) (i32.const 0xc3)) (then (return (i32.const 544))))
  (if (i32.eq (local.get $byte) (i32.const 0xc1)) (then (return (i32.const -1))))
  (if (i32.lt_u (local.get $byte) (i32.const 0xc7))
    (then (return (call $decode_bytes
      (call $take_length (i32.shl (i32.const 1) (i32.sub (local.get $byte) (i32.const 0xc4))))))))
  (if (i32.lt_u (local.get $byte) (i32.const 0xca))
    (then (return (call $decode_extension
      (call $take_length (i32.shl (i32.const 1) (i32.sub (local.get $byte) (i32.const 0xc7))))))))
  (if (i32.lt_u (local.get $byte) (i32.const 0xd4)) (then (return (call $decode_number (local.get $byte)))))
  (if (i32.lt_u (local.get $byte) (i32.const 0xd9))
    (then (return (call $decode_extension (i32.shl (i32.const 1) (i32.sub (local.get $byte) (i32.const 0xd4)))))))
  (if (i32.lt_u (local.get $byte) (i32.const 0xdc))
    (then (return (call $decode_text
      (call $take_length (i32.shl (i32.const 1) (i32.sub (local.get $byte) (i32.const 0xd9))))))))
  (if (i32.lt_u (local.get $byte) (i32.const 0xde))
    (then (return (call $decode_list
      (call $take_length (i32.shl (i32.const 2) (i32.sub (local.get $byte) (i32.const 0xdc))))
      (local.get $depth)))))
  (call $decode_map
    (call $take_length (i32.shl (i32.const 2) (i32.sub (local.get $byte) (i32.const 0xde))))
    (local.get $depth)))

;; The number behind a byte 0xca to 0xd3: floats, then unsigned and signed integers of 1, 2, 4, 8 bytes.
(func $decode_number (param $byte i32) (result i32)
  (local $at i32) (local $size i32) (local $bits i64) (local $shift i64)
  (local.set $size
    (select
      (i32.shl (i32.const 4) (i32.sub (local.get $byte) (i32.const 0xca)))
      (i32.shl (i32.const 1) (i32.and (i32.sub (local.get $byte) (i32.const 0xcc)) (i32.const 3)))
      (i32.lt_u (local.get $byte) (i32.const 0xcc))))
  (local.set $at (call $take (local.get $size)))
  (if (i32.lt_s (local.get $at) (i32.const 0)) (then (return (i32.const -1))))
  (local.set $shift (i64.extend_i32_u (i32.sub (i32.const 64) (i32.shl (local.get $size) (i32.const 3)))))
  (block $read
    (loop $next
      (local.set $bits
        (i64.or (i64.shl (local.get $bits) (i64.const 8)) (i64.load8_u (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (local.set $size (i32.sub (local.get $size) (i32.const 1)))
      (br_if $next (local.get $size))))
  (if (i32.eq (local.get $byte) (i32.const 0xca))
    (then (return (call $finite (f64.promote_f32 (f32.reinterpret_i32 (i32.wrap_i64 (local.get $bits))))))))
  (if (i32.eq (local.get $byte) (i32.const 0xcb))
    (then (return (call $finite (f64.reinterpret_i64 (local.get $bits))))))
  (if (i32.ge_u (local.get $byte) (i32.const 0xd0))
    (then (return (call $new_int
      (i64.shr_s (i64.shl (local.get $bits) (local.get $shift)) (local.get $shift))))))
  (if (i64.lt_s (local.get $bits) (i64.const 0)) (then (return (call $new_uint (local.get $bits)))))
  (call $new_int (local.get $bits)))

;; A double of a request: one that is not finite is unsupported (A2.3).
(func $finite (param $value f64) (result i32)
  (if (f64.eq (f64.sub (local.get $value) (local.get $value)) (f64.const 0))
    (then (return (call $new_double (local.get $value)))))
  (i32.const 128))

;; Bytes of a length at the position; -1 passes through as a length.
(func $decode_bytes (param $length i32) (result i32)
  (local $at i32)
  (if (i32.lt_s (local.get $length) (i32.const 0)) (then (return (i32.const -1))))
  (local.set $at (call $take (local.get $length)))
  (if (i32.lt_s (local.get $at) (i32.const 0)) (then (return (i32.const -1))))
  (call $new_bytes (local.get $at) (local.get $length)))

;; Text of a length at the position.
(func $decode_text (param $length i32) (result i32)
  (local $at i32)
  (if (i32.lt_s (local.get $length) (i32.const 0)) (then (return (i32.const -1))))
  (local.set $at (call $take (local.get $length)))
  (if (i32.lt_s (local.get $at) (i32.const 0)) (then (return (i32.const -1))))
  (if (i32.eqz (call $is_utf8 (local.get $at) (local.get $length))) (then (return (i32.const -1))))
  (call $new_string (local.get $at) (local.get $length)))

;; A list of count values. Too deep is malformed (A2.3).
(func $decode_list (param $count i32) (param $depth i32) (result i32)
  (local $list i32) (local $cell i32) (local $to i32) (local $end i32)
  (if (i32.gt_u (local.get $count)
        (i32.sub (i32.load offset=4 (global.get $scratch)) (i32.load (global.get $scratch))))
    (then (return (i32.const -1))))
  (if (i32.gt_u (local.get $depth) (i32.const 32)) (then (return (i32.const -1))))
  (local.set $list (call $new_list (local.get $count)))
  (local.set $to (call $address (local.get $list)))
  (local.set $end (i32.add (local.get $to) (i32.shl (local.get $count) (i32.const 2))))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $to) (local.get $end)))
      (local.set $cell (call $decode_value (i32.add (local.get $depth) (i32.const 1))))
      (if (i32.lt_s (local.get $cell) (i32.const 0)) (then (return (i32.const -1))))
      (i32.store (local.get $to) (local.get $cell))
      (local.set $to (i32.add (local.get $to) (i32.const 4)))
      (br $next)))
  (local.get $list))

;; A map of count entries. Too deep is malformed; with a key that is no text it is unsupported.
(func $decode_map (param $count i32) (param $depth i32) (result i32)
  (local $map i32) (local $cell i32) (local $to i32) (local $end i32) (local $odd i32)
  (if (i32.gt_u (local.get $count)
        (i32.shr_u (i32.sub (i32.load offset=4 (global.get $scratch)) (i32.load (global.get $scratch))) (i32.const 1)))
    (then (return (i32.const -1))))
  (if (i32.gt_u (local.get $depth) (i32.const 32)) (then (return (i32.const -1))))
  (local.set $map (call $new_map (local.get $count)))
  (local.set $to (call $address (local.get $map)))
  (local.set $end (i32.add (local.get $to) (i32.shl (local.get $count) (i32.const 3))))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $to) (local.get $end)))
      (local.set $cell (call $decode_value (i32.add (local.get $depth) (i32.const 1))))
      (if (i32.lt_s (local.get $cell) (i32.const 0)) (then (return (i32.const -1))))
      (if (i32.ne (call $tag (local.get $cell)) (i32.const 6)) (then (local.set $odd (i32.const 1))))
      (i32.store (local.get $to) (local.get $cell))
      (local.set $cell (call $decode_value (i32.add (local.get $depth) (i32.const 1))))
      (if (i32.lt_s (local.get $cell) (i32.const 0)) (then (return (i32.const -1))))
      (i32.store offset=4 (local.get $to) (local.get $cell))
      (local.set $to (i32.add (local.get $to) (i32.const 8)))
      (br $next)))
  (if (local.get $odd) (then (return (i32.const 128))))
  (if (call $has_repeated_text_key (local.get $map)) (then (return (i32.const -1))))
  (local.get $map))

;; Whether a map whose keys are all text has two equal ones: each key against those before it in small maps, a hash
;; table above the heap's end, given back, in larger ones.
(func $has_repeated_text_key (param $map i32) (result i32)
  (local $count i32) (local $i i32) (local $j i32) (local $key i32) (local $other i32)
  (local $mask i32) (local $slots i32) (local $mark i32)
  (local.set $count (call $count (local.get $map)))
  (if (i32.lt_u (local.get $count) (i32.const 2)) (then (return (i32.const 0))))
  (local.set $mark (global.get $heap))
  (local.set $mask (i32.const 7))
  (loop $grow
    (local.set $mask (i32.or (i32.shl (local.get $mask) (i32.const 1)) (i32.const 1)))
    (br_if $grow (i32.lt_u (local.get $mask) (i32.shl (local.get $count) (i32.const 1)))))
  (local.set $slots (call $alloc (i32.shl (i32.add (local.get $mask) (i32.const 1)) (i32.const 2))))
  (memory.fill (local.get $slots) (i32.const 0) (i32.shl (i32.add (local.get $mask) (i32.const 1)) (i32.const 2)))
  (global.set $heap (local.get $mark))
  (loop $next
    (local.set $key
      (i32.load (i32.add (call $address (local.get $map)) (i32.shl (local.get $i) (i32.const 3)))))
    (local.set $j (call $hash (call $address (local.get $key)) (call $count (local.get $key))))
    (loop $probe
      (local.set $j (i32.and (local.get $j) (local.get $mask)))
      (local.set $other
        (i32.load (i32.add (local.get $slots) (i32.shl (local.get $j) (i32.const 2)))))
      (if (local.get $other)
        (then
          (if (call $same_text (local.get $key) (local.get $other)) (then (return (i32.const 1))))
          (local.set $j (i32.add (local.get $j) (i32.const 1)))
          (br $probe))))
    (i32.store (i32.add (local.get $slots) (i32.shl (local.get $j) (i32.const 2))) (local.get $key))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $next (i32.lt_u (local.get $i) (local.get $count))))
  (i32.const 0))

;; An extension value whose payload has a length (A2.2). -1 passes through as a length.
(func $decode_extension (param $length i32) (result i32)
  (local $kind i32) (local $at i32)
  (if (i32.lt_s (local.get $length) (i32.const 0)) (then (return (i32.const -1))))
  (local.set $kind (call $take (i32.const 1)))
  (if (i32.lt_s (local.get $kind) (i32.const 0)) (then (return (i32.const -1))))
  (local.set $kind (i32.load8_s (local.get $kind)))
  (local.set $at (call $take (local.get $length)))
  (if (i32.lt_s (local.get $at) (i32.const 0)) (then (return (i32.const -1))))
  (if (i32.and (i32.eq (local.get $kind) (i32.const 1)) (i32.eq (local.get $length) (i32.const 8)))
    (then (return (call $new_uint (call $big64 (local.get $at))))))
  (if (i32.and (i32.eq (local.get $kind) (i32.const 2)) (i32.eq (local.get $length) (i32.const 8)))
    (then (return (call $new_duration (call $big64 (local.get $at))))))
  (if (i32.or (i32.eq (local.get $kind) (i32.const -1)) (i32.eq (local.get $kind) (i32.const 6)))
    (then (return (call $decode_timestamp (local.get $at) (local.get $length)))))
  (i32.const 128))

;; A timestamp: nanoseconds in 4 bytes and seconds in 8; of another length or out of range, unsupported.
(func $decode_timestamp (param $at i32) (param $length i32) (result i32)
  (local $seconds i64) (local $nanoseconds i32)
  (if (i32.ne (local.get $length) (i32.const 12)) (then (return (i32.const 128))))
  (local.set $nanoseconds (call $big32 (local.get $at)))
  (local.set $seconds (call $big64 (i32.add (local.get $at) (i32.const 4))))
  (if (i32.or
        (i32.gt_u (local.get $nanoseconds) (i32.const 999999999))
        (i64.ge_u (i64.add (local.get $seconds) (i64.const 62135596800)) (i64.const 315537897600)))
    (then (return (i32.const 128))))
  (call $new_timestamp (local.get $seconds) (local.get $nanoseconds)))
