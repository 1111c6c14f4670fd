;; Read the request: MessagePack to cells (docs/abi.md A2). The reader's state is in scratch: position at +0, end at +4, and
;; at +8 how many values are declared and not begun. Each takes a byte or more, so what they may take together is known
;; when a list or map begins, before anything is allocated for it.
;;
;; A malformed input ends the reading: nothing is left of it, position and end are 0, and what is still read are zeros
;; and the cell 0. $decode_array sees it in the end.

;; The cells of a request at input: the address of eight i32 cell addresses in the order of A2.1, or 0 if malformed.
(func $decode_request (param $input i32) (param $length i32) (result i32)
  (local $table i32) (local $at i32) (local $tag i32)
  (local.set $table (call $decode_array (local.get $input) (local.get $length) (i32.const 8)))
  (if (i32.eqz (local.get $table)) (then (return (i32.const 0))))
  (if (i32.ne (call $tag (i32.load (local.get $table))) (i32.const 6)) (then (return (i32.const 0))))
  (if (i32.ne (call $tag (i32.load offset=4 (local.get $table))) (i32.const 6)) (then (return (i32.const 0))))
  ;; Four maps, or unsupported values in their place.
  (local.set $at (local.get $table))
  (loop $next
    (local.set $tag (call $tag (i32.load offset=12 (local.get $at))))
    (if (i32.and (i32.ne (local.get $tag) (i32.const 9)) (i32.ne (local.get $tag) (i32.const 0)))
      (then (return (i32.const 0))))
    (local.set $at (i32.add (local.get $at) (i32.const 4)))
    (br_if $next (i32.lt_u (local.get $at) (i32.add (local.get $table) (i32.const 16)))))
  (local.get $table))

;; The cells of an array of exactly count values that fills the input: the address of their addresses, or 0.
(func $decode_array (param $input i32) (param $length i32) (param $count i32) (result i32)
  (local $list i32) (local $end i32)
  (local.set $end (i32.add (local.get $input) (local.get $length)))
  (i32.store (global.get $scratch) (local.get $input))
  (i32.store offset=4 (global.get $scratch) (local.get $end))
  (i32.store offset=8 (global.get $scratch) (i32.const 0))
  (local.set $list (call $decode_value (i32.const 0)))
  (if (i32.or
        (i32.ne (i32.load (global.get $scratch)) (local.get $end))
        (i32.or
          (i32.ne (call $tag (local.get $list)) (i32.const 8))
          (i32.ne (call $count (local.get $list)) (local.get $count))))
    (then (return (i32.const 0))))
  (call $address (local.get $list)))

;; Moves the position on by size bytes; the position before. Where the input ends first it is malformed, and the answer
;; 0: the address of zeros.
(func $take (param $size i32) (result i32)
  (local $position i32)
  (local.set $position (i32.load (global.get $scratch)))
  (if (i32.gt_u (local.get $size) (i32.sub (i32.load offset=4 (global.get $scratch)) (local.get $position)))
    (then (return (call $malformed))))
  (i32.store (global.get $scratch) (i32.add (local.get $position) (local.get $size)))
  (local.get $position))

;; Ends the reading; 0.
(func $malformed (result i32)
  (i64.store (global.get $scratch) (i64.const 0))
  (i32.const 0))

;; The big-endian number of size bytes (1 to 8) at the position.
(func $take_number (param $size i32) (result i64)
  (local $at i32) (local $bits i64)
  (local.set $at (call $take (local.get $size)))
  (loop $next
    (local.set $bits (i64.or (i64.shl (local.get $bits) (i64.const 8)) (i64.load8_u (local.get $at))))
    (local.set $at (i32.add (local.get $at) (i32.const 1)))
    (br_if $next (local.tee $size (i32.sub (local.get $size) (i32.const 1)))))
  (local.get $bits))

;; A length of 2^exponent bytes at the position, at most 2^24, which is more than any input has.
(func $take_length (param $exponent i32) (result i32)
  (local $length i64)
  (local.set $length (call $take_number (i32.shl (i32.const 1) (local.get $exponent))))
  (select
    (i32.wrap_i64 (local.get $length))
    (i32.const 0x1000000)
    (i64.lt_u (local.get $length) (i64.const 0x1000000))))

;; The value at the position. depth: of a list or map that stands here (L1.5); the request's array is at 0.
(func $decode_value (param $depth i32) (result i32)
  (local $at i32) (local $byte i32)
  (local.set $at (call $take (i32.const 1)))
  (if (i32.ge_s (i32.load8_s (local.get $at)) (i32.const -32))
    (then (return (call $new_int (i64.load8_s (local.get $at))))))
  (local.set $byte (i32.load8_u (local.get $at)))
  (if (i32.lt_u (local.get $byte) (i32.const 0x90))
    (then (return (call $decode_map (i32.and (local.get $byte) (i32.const 15)) (local.get $depth)))))
  (if (i32.lt_u (local.get $byte) (i32.const 0xa0))
    (then (return (call $decode_list (i32.and (local.get $byte) (i32.const 15)) (local.get $depth)))))
  (if (i32.lt_u (local.get $byte) (i32.const 0xc0))
    (then (return (call $decode_text (i32.const 6) (i32.and (local.get $byte) (i32.const 31))))))
  (call $decode_marked (local.get $byte) (local.get $depth)))

;; The value behind a byte 0xc0 to 0xdf. Sizes are powers of two in the order of the bytes.
(func $decode_marked (param $byte i32) (param $depth i32) (result i32)
  (if (i32.lt_u (local.get $byte) (i32.const 0xc4))
    (then
      (if (i32.eq (local.get $byte) (i32.const 0xc1)) (then (return (call $malformed))))
      ;; nil, false and true have their cells in this order.
      (return
        (select
          (i32.const 512)
          (i32.add (i32.shl (i32.and (local.get $byte) (i32.const 1)) (i32.const 4)) (i32.const 528))
          (i32.eq (local.get $byte) (i32.const 0xc0))))))
  (if (i32.lt_u (local.get $byte) (i32.const 0xc7))
    (then (return (call $decode_text
      (i32.const 7) (call $take_length (i32.sub (local.get $byte) (i32.const 0xc4)))))))
  (if (i32.lt_u (local.get $byte) (i32.const 0xca))
    (then (return (call $decode_extension (call $take_length (i32.sub (local.get $byte) (i32.const 0xc7)))))))
  (if (i32.lt_u (local.get $byte) (i32.const 0xd4)) (then (return (call $decode_number (local.get $byte)))))
  (if (i32.lt_u (local.get $byte) (i32.const 0xd9))
    (then (return (call $decode_extension (i32.shl (i32.const 1) (i32.sub (local.get $byte) (i32.const 0xd4)))))))
  (if (i32.lt_u (local.get $byte) (i32.const 0xdc))
    (then (return (call $decode_text
      (i32.const 6) (call $take_length (i32.sub (local.get $byte) (i32.const 0xd9)))))))
  (if (i32.lt_u (local.get $byte) (i32.const 0xde))
    (then (return (call $decode_list
      (call $take_length (i32.sub (local.get $byte) (i32.const 0xdb))) (local.get $depth)))))
  (call $decode_map (call $take_length (i32.sub (local.get $byte) (i32.const 0xdd))) (local.get $depth)))

;; The number behind a byte 0xca to 0xd3: floats of 4 and 8 bytes, unsigned and signed integers of 1, 2, 4 and 8. A float
;; that is not finite is unsupported (A2.3).
(func $decode_number (param $byte i32) (result i32)
  (local $size i32) (local $bits i64) (local $value f64) (local $unused i64)
  (local.set $size (i32.shl (i32.const 1) (i32.and (local.get $byte) (i32.const 3))))
  (local.set $bits (call $take_number (local.get $size)))
  (if (i32.lt_u (local.get $byte) (i32.const 0xcc))
    (then
      (local.set $value
        (if (result f64) (i32.eq (local.get $byte) (i32.const 0xca))
          (then (f64.promote_f32 (f32.reinterpret_i32 (i32.wrap_i64 (local.get $bits)))))
          (else (f64.reinterpret_i64 (local.get $bits)))))
      (if (f64.lt (f64.abs (local.get $value)) (f64.const inf))
        (then (return (call $new_double (local.get $value)))))
      (return (i32.const 128))))
  (if (i32.ge_u (local.get $byte) (i32.const 0xd0))
    (then
      (local.set $unused (i64.extend_i32_u (i32.sub (i32.const 64) (i32.shl (local.get $size) (i32.const 3)))))
      (return (call $new_int (i64.shr_s (i64.shl (local.get $bits) (local.get $unused)) (local.get $unused))))))
  (call $new_cell
    (select (i32.const 4) (i32.const 3) (i64.lt_s (local.get $bits) (i64.const 0)))
    (i32.const 0)
    (local.get $bits)))

;; A string (tag 6) or bytes (tag 7) of a length at the position.
(func $decode_text (param $tag i32) (param $length i32) (result i32)
  (local $at i32)
  (local.set $at (call $take (local.get $length)))
  (if (i32.eqz (local.get $at)) (then (return (i32.const 0))))
  (if (i32.eq (local.get $tag) (i32.const 6))
    (then
      (if (i32.eqz (call $is_utf8 (local.get $at) (local.get $length))) (then (return (call $malformed))))))
  (call $new_cell (local.get $tag) (local.get $length) (i64.extend_i32_u (local.get $at))))

;; An array of count cell addresses for as many values: its address, or 0. Too deep is malformed (A2.3).
(func $decode_cells (param $count i32) (param $depth i32) (result i32)
  (local $owed i32) (local $cells i32) (local $to i32) (local $end i32)
  (local.set $owed (i32.add (i32.load offset=8 (global.get $scratch)) (local.get $count)))
  (if (i32.or
        (i32.gt_u (local.get $owed)
          (i32.sub (i32.load offset=4 (global.get $scratch)) (i32.load (global.get $scratch))))
        (i32.gt_u (local.get $depth) (i32.const 32)))
    (then (return (call $malformed))))
  (i32.store offset=8 (global.get $scratch) (local.get $owed))
  (local.set $cells (call $alloc (i32.shl (local.get $count) (i32.const 2))))
  (local.set $to (local.get $cells))
  (local.set $end (i32.add (local.get $to) (i32.shl (local.get $count) (i32.const 2))))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $to) (local.get $end)))
      (i32.store offset=8 (global.get $scratch)
        (i32.sub (i32.load offset=8 (global.get $scratch)) (i32.const 1)))
      (i32.store (local.get $to) (call $decode_value (i32.add (local.get $depth) (i32.const 1))))
      (local.set $to (i32.add (local.get $to) (i32.const 4)))
      (br $next)))
  (local.get $cells))

;; A list of count values.
(func $decode_list (param $count i32) (param $depth i32) (result i32)
  (call $new_cell (i32.const 8) (local.get $count)
    (i64.extend_i32_u (call $decode_cells (local.get $count) (local.get $depth)))))

;; A map of count entries. With a key that is no text it is unsupported, with two equal keys malformed.
(func $decode_map (param $count i32) (param $depth i32) (result i32)
  (local $cells i32) (local $map i32)
  (local.set $cells (call $decode_cells (i32.shl (local.get $count) (i32.const 1)) (local.get $depth)))
  (if (i32.eqz (local.get $cells)) (then (return (i32.const 0))))
  (local.set $map (call $new_cell (i32.const 9) (local.get $count) (i64.extend_i32_u (local.get $cells))))
  (block $text
    (loop $next
      (br_if $text (i32.eqz (local.get $count)))
      (if (i32.ne (call $tag (i32.load (local.get $cells))) (i32.const 6)) (then (return (i32.const 128))))
      (local.set $cells (i32.add (local.get $cells) (i32.const 8)))
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br $next)))
  (if (call $index_entries (local.get $map)) (then (return (call $malformed))))
  (local.get $map))

;; Whether two keys of a map are equal. From eight entries on the array that is made to find them stays with the map as its
;; index, for $search_index.
(func $index_entries (param $map i32) (result i32)
  (local $index i32) (local $i i32)
  (local.set $index (call $alloc (i32.shl (call $count (local.get $map)) (i32.const 2))))
  (local.set $i (call $count (local.get $map)))
  (block $filled
    (loop $next
      (br_if $filled (i32.eqz (local.get $i)))
      (local.set $i (i32.sub (local.get $i) (i32.const 1)))
      (i32.store
        (i32.add (local.get $index) (i32.shl (local.get $i) (i32.const 2)))
        (i32.add (call $address (local.get $map)) (i32.shl (local.get $i) (i32.const 3))))
      (br $next)))
  (if (i32.lt_u (call $count (local.get $map)) (i32.const 8))
    (then (global.set $heap (local.get $index)))
    (else (i32.store offset=12 (local.get $map) (local.get $index))))
  (call $has_equal_keys (local.get $index) (i32.shl (call $count (local.get $map)) (i32.const 2))))

;; Whether two of an array of entries, of so many bytes, have equal keys. Puts the entries' addresses in the order of their
;; keys: Shell's sort with Knuth's gaps (1, 4, 13, ...), at most count^1.5 comparisons whatever the caller sends, and few
;; for few. Gap and positions are in bytes.
(func $has_equal_keys (param $array i32) (param $bytes i32) (result i32)
  (local $gap i32) (local $i i32) (local $at i32) (local $entry i32) (local $other i32) (local $order i32)
  (loop $widen
    (local.set $gap (i32.add (i32.mul (local.get $gap) (i32.const 3)) (i32.const 4)))
    (br_if $widen (i32.lt_u (i32.mul (local.get $gap) (i32.const 3)) (local.get $bytes))))
  (loop $pass
    (local.set $i (local.get $gap))
    (block $ordered
      (loop $insert
        (br_if $ordered (i32.ge_u (local.get $i) (local.get $bytes)))
        (local.set $at (i32.add (local.get $array) (local.get $i)))
        (local.set $entry (i32.load (local.get $at)))
        (block $found
          (loop $shift
            (br_if $found (i32.lt_u (i32.sub (local.get $at) (local.get $array)) (local.get $gap)))
            (local.set $other (i32.load (i32.sub (local.get $at) (local.get $gap))))
            (local.set $order (call $key_order (i32.load (local.get $entry)) (i32.load (local.get $other))))
            (if (i32.eqz (local.get $order)) (then (return (i32.const 1))))
            (br_if $found (i32.gt_s (local.get $order) (i32.const 0)))
            (i32.store (local.get $at) (local.get $other))
            (local.set $at (i32.sub (local.get $at) (local.get $gap)))
            (br $shift)))
        (i32.store (local.get $at) (local.get $entry))
        (local.set $i (i32.add (local.get $i) (i32.const 4)))
        (br $insert)))
    (br_if $pass (local.tee $gap (i32.and (i32.div_u (local.get $gap) (i32.const 3)) (i32.const -4)))))
  (i32.const 0))

;; -1, 0 or 1: an order of key cells. Bools, then numbers by their values, then strings, by length first, then eight bytes
;; at a time.
(func $key_order (param $left i32) (param $right i32) (result i32)
  (local $size i32) (local $a i64) (local $b i64) (local $beyond i64)
  (local.set $a (call $key_rank (local.get $left)))
  (local.set $b (call $key_rank (local.get $right)))
  (block $decided
    (br_if $decided (i64.ne (local.get $a) (local.get $b)))
    (if (i32.ne (call $tag (local.get $left)) (i32.const 6))
      (then
        (local.set $a (i64.load offset=8 (local.get $left)))
        (local.set $b (i64.load offset=8 (local.get $right)))
        (br $decided)))
    (local.set $size (call $count (local.get $left)))
    (local.set $left (call $address (local.get $left)))
    (local.set $right (call $address (local.get $right)))
    (loop $next
      (br_if $decided (i32.le_s (local.get $size) (i32.const 0)))
      (local.set $a (i64.load (local.get $left)))
      (local.set $b (i64.load (local.get $right)))
      ;; What is beyond the end is shifted out. The heap does not fill: memory goes on behind every text.
      (if (i32.lt_s (local.get $size) (i32.const 8))
        (then
          (local.set $beyond (i64.extend_i32_u (i32.sub (i32.const 64) (i32.shl (local.get $size) (i32.const 3)))))
          (local.set $a (i64.shl (local.get $a) (local.get $beyond)))
          (local.set $b (i64.shl (local.get $b) (local.get $beyond)))))
      (br_if $decided (i64.ne (local.get $a) (local.get $b)))
      (local.set $left (i32.add (local.get $left) (i32.const 8)))
      (local.set $right (i32.add (local.get $right) (i32.const 8)))
      (local.set $size (i32.sub (local.get $size) (i32.const 8)))
      (br $next)))
  (i32.sub (i64.gt_u (local.get $a) (local.get $b)) (i64.lt_u (local.get $a) (local.get $b))))

;; What orders key cells before their payloads: tag and length in one. An int of 0 or more counts as a uint.
(func $key_rank (param $key i32) (result i64)
  (select
    (i64.const 4)
    (i64.load (local.get $key))
    (i32.and
      (i32.eq (call $tag (local.get $key)) (i32.const 3))
      (i64.ge_s (i64.load offset=8 (local.get $key)) (i64.const 0)))))

;; An extension value whose payload has a length (A2.2); one that is not known is unsupported, and so is a timestamp out
;; of range.
(func $decode_extension (param $length i32) (result i32)
  (local $kind i32) (local $seconds i64) (local $nanoseconds i64)
  (local.set $kind (i32.wrap_i64 (call $take_number (i32.const 1))))
  (if (i32.and
        (i32.eq (local.get $length) (i32.const 8))
        (i32.lt_u (i32.sub (local.get $kind) (i32.const 1)) (i32.const 2)))
    (then (return (call $new_cell
      (select (i32.const 4) (i32.const 11) (i32.eq (local.get $kind) (i32.const 1)))
      (i32.const 0)
      (call $take_number (i32.const 8))))))
  (if (i32.and
        (i32.eq (local.get $length) (i32.const 12))
        (i32.or (i32.eq (local.get $kind) (i32.const 255)) (i32.eq (local.get $kind) (i32.const 6))))
    (then
      (local.set $nanoseconds (call $take_number (i32.const 4)))
      (local.set $seconds (call $take_number (i32.const 8)))
      (if (i32.and
            (i64.lt_u (local.get $nanoseconds) (i64.const 1000000000))
            (i64.lt_u (i64.add (local.get $seconds) (i64.const 62135596800)) (i64.const 315537897600)))
        (then (return (call $new_cell
          (i32.const 10) (i32.wrap_i64 (local.get $nanoseconds)) (local.get $seconds)))))
      (return (i32.const 128))))
  (drop (call $take (local.get $length)))
  (i32.const 128))
