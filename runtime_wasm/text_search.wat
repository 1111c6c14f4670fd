;; Search in strings (docs/language.md L5.3): linear in the worst case, without a table.

;; The offset in bytes of the first occurrence of a part in a text, or -1. The empty part is found at 0.
;; Tries each place that has the part's first byte, up to a bound on the bytes compared; then $text_two_way.
(func $text_find (param $text i32) (param $length i32) (param $part i32) (param $part_length i32) (result i32)
  (local $at i32) (local $end i32) (local $last i32) (local $first i32) (local $i i32) (local $left i32)
  (local $eight i64) (local $word i64)
  (if (i32.eqz (local.get $part_length)) (then (return (i32.const 0))))
  (if (i32.lt_u (local.get $length) (local.get $part_length)) (then (return (i32.const -1))))
  (local.set $at (local.get $text))
  (local.set $end (i32.add (local.get $text) (local.get $length)))
  (local.set $last (i32.sub (local.get $end) (local.get $part_length)))
  (local.set $left (i32.add (local.get $length) (i32.const 64)))
  (local.set $first (i32.load8_u (local.get $part)))
  (local.set $eight (i64.mul (i64.extend_i32_u (local.get $first)) (i64.const 0x0101010101010101)))
  (loop $next
    ;; Eight bytes at a time while none of them is the first byte: a zero byte in the exclusive or is one that is.
    (block $near
      (loop $far
        (br_if $near (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 8)))
        (local.set $word (i64.xor (i64.load align=1 (local.get $at)) (local.get $eight)))
        (br_if $near
          (i64.ne
            (i64.and
              (i64.and
                (i64.sub (local.get $word) (i64.const 0x0101010101010101))
                (i64.xor (local.get $word) (i64.const -1)))
              (i64.const 0x8080808080808080))
            (i64.const 0)))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br $far)))
    (block $elsewhere
      (loop $seek
        (if (i32.gt_u (local.get $at) (local.get $last)) (then (return (i32.const -1))))
        (br_if $elsewhere (i32.eq (i32.load8_u (local.get $at)) (local.get $first)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $seek)))
    (local.set $i (i32.const 1))
    (block $differs
      (loop $compare
        (if (i32.eq (local.get $i) (local.get $part_length))
          (then (return (i32.sub (local.get $at) (local.get $text)))))
        (br_if $differs
          (i32.ne
            (i32.load8_u (i32.add (local.get $at) (local.get $i)))
            (i32.load8_u (i32.add (local.get $part) (local.get $i)))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $compare)))
    (local.set $at (i32.add (local.get $at) (i32.const 1)))
    (local.set $left (i32.sub (local.get $left) (local.get $i)))
    (br_if $next (i32.gt_s (local.get $left) (i32.const 0))))
  (local.set $i
    (call $text_two_way
      (local.get $at) (i32.sub (local.get $end) (local.get $at))
      (local.get $part) (local.get $part_length) (i32.const 1)))
  (if (i32.lt_s (local.get $i) (i32.const 0)) (then (return (local.get $i))))
  (i32.add (i32.sub (local.get $at) (local.get $text)) (local.get $i)))

;; The offset in bytes of the last occurrence of a part in a text, or -1: the first one when both are read backwards.
(func $text_find_last (param $text i32) (param $length i32) (param $part i32) (param $part_length i32) (result i32)
  (local $distance i32)
  (if (i32.eqz (local.get $part_length)) (then (return (local.get $length))))
  (local.set $distance
    (call $text_two_way
      (i32.add (local.get $text) (i32.sub (local.get $length) (i32.const 1))) (local.get $length)
      (i32.add (local.get $part) (i32.sub (local.get $part_length) (i32.const 1))) (local.get $part_length)
      (i32.const -1)))
  (if (i32.lt_s (local.get $distance) (i32.const 0)) (then (return (local.get $distance))))
  (i32.sub (i32.sub (local.get $length) (local.get $part_length)) (local.get $distance)))

;; The two-way search (Crochemore and Perrin, 1991) for a part of at least one byte. Byte i of the text is at
;; text + i * step, and so for the part; step: 1 or -1. Result: the first place in that direction, or -1.
(func $text_two_way (param $text i32) (param $length i32) (param $part i32) (param $part_length i32) (param $step i32)
  (result i32)
  (local $cut i32) (local $period i32) (local $place i32) (local $i i32) (local $known i32) (local $keep i32)
  (local $other i64)
  (local.set $other (call $text_suffix (local.get $part) (local.get $part_length) (local.get $step) (i32.const -1)))
  (local.set $cut (i32.wrap_i64 (local.get $other)))
  (local.set $period (i32.wrap_i64 (i64.shr_u (local.get $other) (i64.const 32))))
  (local.set $other (call $text_suffix (local.get $part) (local.get $part_length) (local.get $step) (i32.const 0)))
  (if (i32.ge_s (i32.wrap_i64 (local.get $other)) (local.get $cut))
    (then
      (local.set $cut (i32.wrap_i64 (local.get $other)))
      (local.set $period (i32.wrap_i64 (i64.shr_u (local.get $other) (i64.const 32))))))
  ;; cut: the first half's length. Where that half repeats one period on, the whole part has this period, and after
  ;; a shift by it the bytes below keep are known to match.
  (local.set $keep (i32.sub (local.get $part_length) (local.get $period)))
  (block $periodic
    (loop $next
      (br_if $periodic (i32.ge_u (local.get $i) (local.get $cut)))
      (if (i32.eq
            (i32.load8_u (i32.add (local.get $part) (i32.mul (local.get $i) (local.get $step))))
            (i32.load8_u
              (i32.add (local.get $part)
                (i32.mul (i32.add (local.get $i) (local.get $period)) (local.get $step)))))
        (then
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $next))))
    (local.set $keep (i32.const 0))
    (local.set $period (i32.sub (local.get $part_length) (local.get $cut)))
    (if (i32.lt_u (local.get $period) (local.get $cut)) (then (local.set $period (local.get $cut))))
    (local.set $period (i32.add (local.get $period) (i32.const 1))))
  (loop $shift
    (if (i32.gt_s (local.get $place) (i32.sub (local.get $length) (local.get $part_length)))
      (then (return (i32.const -1))))
    ;; The second half, from left to right.
    (local.set $i (local.get $cut))
    (if (i32.lt_u (local.get $i) (local.get $known)) (then (local.set $i (local.get $known))))
    (block $right
      (loop $next
        (br_if $right (i32.ge_u (local.get $i) (local.get $part_length)))
        (if (i32.ne
              (i32.load8_u (i32.add (local.get $part) (i32.mul (local.get $i) (local.get $step))))
              (i32.load8_u
                (i32.add (local.get $text)
                  (i32.mul (i32.add (local.get $i) (local.get $place)) (local.get $step)))))
          (then
            (local.set $place
              (i32.add (local.get $place)
                (i32.add (i32.sub (local.get $i) (local.get $cut)) (i32.const 1))))
            (local.set $known (i32.const 0))
            (br $shift)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    ;; The first half, from right to left.
    (local.set $i (local.get $cut))
    (block $differs
      (loop $next
        (if (i32.le_u (local.get $i) (local.get $known)) (then (return (local.get $place))))
        (local.set $i (i32.sub (local.get $i) (i32.const 1)))
        (br_if $next
          (i32.eq
            (i32.load8_u (i32.add (local.get $part) (i32.mul (local.get $i) (local.get $step))))
            (i32.load8_u
              (i32.add (local.get $text)
                (i32.mul (i32.add (local.get $i) (local.get $place)) (local.get $step))))))))
    (local.set $place (i32.add (local.get $place) (local.get $period)))
    (local.set $known (local.get $keep))
    (br $shift))
  (unreachable))

;; The maximal suffix of a part of at least one byte, read with step as in $text_two_way. flip: -1 orders bytes in
;; reverse, 0 as they are. Result: where the suffix begins, and in the high half its period.
(func $text_suffix (param $part i32) (param $length i32) (param $step i32) (param $flip i32) (result i64)
  (local $start i32) (local $candidate i32) (local $k i32) (local $period i32) (local $difference i32)
  (local.set $candidate (i32.const 1))
  (local.set $period (i32.const 1))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (i32.add (local.get $candidate) (local.get $k)) (local.get $length)))
      (local.set $difference
        (i32.sub
          (i32.load8_u
            (i32.add (local.get $part)
              (i32.mul (i32.add (local.get $candidate) (local.get $k)) (local.get $step))))
          (i32.load8_u
            (i32.add (local.get $part) (i32.mul (i32.add (local.get $start) (local.get $k)) (local.get $step))))))
      (if (i32.eqz (local.get $difference))
        (then
          (local.set $k (i32.add (local.get $k) (i32.const 1)))
          (br_if $next (i32.ne (local.get $k) (local.get $period)))
          (local.set $candidate (i32.add (local.get $candidate) (local.get $period)))
          (local.set $k (i32.const 0))
          (br $next)))
      (if (i32.lt_s (i32.xor (local.get $difference) (local.get $flip)) (i32.const 0))
        (then
          (local.set $candidate (i32.add (local.get $candidate) (i32.add (local.get $k) (i32.const 1))))
          (local.set $period (i32.sub (local.get $candidate) (local.get $start))))
        (else
          (local.set $start (local.get $candidate))
          (local.set $candidate (i32.add (local.get $candidate) (i32.const 1)))
          (local.set $period (i32.const 1))))
      (local.set $k (i32.const 0))
      (br $next)))
  (i64.or
    (i64.extend_i32_u (local.get $start))
    (i64.shl (i64.extend_i32_u (local.get $period)) (i64.const 32))))

;; The int of a place in a text as a position, or -1. offset: in bytes, negative for nowhere.
(func $text_position (param $text i32) (param $offset i32) (result i32)
  (if (i32.lt_s (local.get $offset) (i32.const 0)) (then (return (call $new_int (i64.const -1)))))
  (call $new_int
    (i64.extend_i32_u (call $count_code_points (call $address (local.get $text)) (local.get $offset)))))

;; `text.indexOf(part)`.
(func $fn_index_of (param $text i32) (param $part i32) (result i32)
  (local $offset i32)
  (local.set $offset
    (call $text_expect (local.get $text) (i32.const 6)
      (call $text_expect (local.get $part) (i32.const 6) (i32.const 0))))
  (if (local.get $offset) (then (return (local.get $offset))))
  (if (i32.eqz (call $charge_scan (local.get $text))) (then (return (global.get $fatal))))
  (call $text_position
    (local.get $text)
    (call $text_find
      (call $address (local.get $text)) (call $count (local.get $text))
      (call $address (local.get $part)) (call $count (local.get $part)))))

;; `text.indexOf(part, start)`.
(func $fn_index_of_from (param $text i32) (param $part i32) (param $start i32) (result i32)
  (local $offset i32) (local $found i32)
  (local.set $offset (call $text_search_start (local.get $text) (local.get $part) (local.get $start)))
  (if (i32.lt_s (local.get $offset) (i32.const 0)) (then (return (i32.sub (i32.const 0) (local.get $offset)))))
  (if (i32.eqz (call $charge_scan (local.get $text))) (then (return (global.get $fatal))))
  (local.set $found
    (call $text_find
      (i32.add (call $address (local.get $text)) (local.get $offset))
      (i32.sub (call $count (local.get $text)) (local.get $offset))
      (call $address (local.get $part)) (call $count (local.get $part))))
  (call $text_position
    (local.get $text)
    (select
      (local.get $found)
      (i32.add (local.get $offset) (local.get $found))
      (i32.lt_s (local.get $found) (i32.const 0)))))

;; `text.lastIndexOf(part)`.
(func $fn_last_index_of (param $text i32) (param $part i32) (result i32)
  (local $offset i32)
  (local.set $offset
    (call $text_expect (local.get $text) (i32.const 6)
      (call $text_expect (local.get $part) (i32.const 6) (i32.const 0))))
  (if (local.get $offset) (then (return (local.get $offset))))
  (if (i32.eqz (call $charge_scan (local.get $text))) (then (return (global.get $fatal))))
  (call $text_position
    (local.get $text)
    (call $text_find_last
      (call $address (local.get $text)) (call $count (local.get $text))
      (call $address (local.get $part)) (call $count (local.get $part)))))

;; `text.lastIndexOf(part, start)`: an occurrence that begins at the start at the latest.
(func $fn_last_index_of_from (param $text i32) (param $part i32) (param $start i32) (result i32)
  (local $offset i32)
  (local.set $offset (call $text_search_start (local.get $text) (local.get $part) (local.get $start)))
  (if (i32.lt_s (local.get $offset) (i32.const 0)) (then (return (i32.sub (i32.const 0) (local.get $offset)))))
  (if (i32.eqz (call $charge_scan (local.get $text))) (then (return (global.get $fatal))))
  (local.set $offset (i32.add (local.get $offset) (call $count (local.get $part))))
  (if (i32.gt_u (local.get $offset) (call $count (local.get $text)))
    (then (local.set $offset (call $count (local.get $text)))))
  (call $text_position
    (local.get $text)
    (call $text_find_last
      (call $address (local.get $text)) (local.get $offset)
      (call $address (local.get $part)) (call $count (local.get $part)))))

;; The offset in bytes where a search from a position begins, or the address of a fault's cell, negated.
(func $text_search_start (param $text i32) (param $part i32) (param $start i32) (result i32)
  (local $offset i32)
  (local.set $offset
    (call $text_expect (local.get $text) (i32.const 6)
      (call $text_expect (local.get $part) (i32.const 6)
        (call $text_expect (local.get $start) (i32.const 3) (i32.const 0)))))
  (if (local.get $offset) (then (return (i32.sub (i32.const 0) (local.get $offset)))))
  (local.set $offset
    (call $text_offset
      (call $address (local.get $text)) (call $count (local.get $text)) (i64.load offset=8 (local.get $start))))
  (select (i32.const -48) (local.get $offset) (i32.lt_s (local.get $offset) (i32.const 0))))
