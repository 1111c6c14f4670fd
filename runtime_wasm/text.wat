;; Strings: tests, positions, parts and changes (docs/language.md L5). Text is UTF-8; positions count code points.
;; A part of a text is a cell over the same bytes: it is charged like a new text, but nothing is copied.

;; Checks an operand's tag. so_far: what the operands after it gave. Result: the operand if it is a fault, else so_far
;; unless it is 0 and the tag is another, which is no_such_overload. 0 over all operands, last one first: all fit.
(func $text_expect (param $cell i32) (param $tag i32) (param $so_far i32) (result i32)
  (if (call $is_fault (local.get $cell)) (then (return (local.get $cell))))
  (if (i32.or (local.get $so_far) (i32.eq (call $tag (local.get $cell)) (local.get $tag)))
    (then (return (local.get $so_far))))
  (i32.const 16))

;; Takes bytes from the allocation budget as $charge_bytes does; the number may be beyond 32 bits.
(func $text_charge (param $bytes i64) (result i32)
  (call $charge_bytes
    (i32.wrap_i64
      (select (local.get $bytes) (i64.const 0xffffffff) (i64.lt_u (local.get $bytes) (i64.const 0xffffffff))))))

;; A string cell over bytes that are in memory already, charged as a new string.
(func $text_slice (param $text i32) (param $length i32) (result i32)
  (if (i32.eqz (call $charge_bytes (local.get $length))) (then (return (global.get $fatal))))
  (call $new_string (local.get $text) (local.get $length)))

;; The number of bytes of the code point that begins with a byte.
(func $text_width (param $byte i32) (result i32)
  (i32.add
    (i32.add (i32.const 1) (i32.ge_u (local.get $byte) (i32.const 0xc0)))
    (i32.add (i32.ge_u (local.get $byte) (i32.const 0xe0)) (i32.ge_u (local.get $byte) (i32.const 0xf0)))))

;; The offset in bytes of a position in code points; the size is a position too. -1 where there is none.
(func $text_offset (param $text i32) (param $length i32) (param $position i64) (result i32)
  (local $at i32) (local $end i32) (local $left i32) (local $word i64)
  (if (i64.gt_u (local.get $position) (i64.extend_i32_u (local.get $length))) (then (return (i32.const -1))))
  (local.set $left (i32.wrap_i64 (local.get $position)))
  (local.set $at (local.get $text))
  (local.set $end (i32.add (local.get $text) (local.get $length)))
  ;; Eight bytes at a time: all but the continuation bytes, 10xxxxxx, begin a code point.
  (block $near
    (loop $next
      (br_if $near
        (i32.or
          (i32.lt_u (local.get $left) (i32.const 8))
          (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 8))))
      (local.set $word (i64.load align=1 (local.get $at)))
      (local.set $left
        (i32.add
          (i32.sub (local.get $left) (i32.const 8))
          (i32.wrap_i64
            (i64.popcnt
              (i64.and
                (i64.and
                  (i64.shr_u (local.get $word) (i64.const 7))
                  (i64.xor (i64.shr_u (local.get $word) (i64.const 6)) (i64.const -1)))
                (i64.const 0x0101010101010101))))))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br $next)))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (if (i32.ne (i32.and (i32.load8_u (local.get $at)) (i32.const 0xc0)) (i32.const 0x80))
        (then
          (br_if $done (i32.eqz (local.get $left)))
          (local.set $left (i32.sub (local.get $left) (i32.const 1)))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $next)))
  (select (i32.const -1) (i32.sub (local.get $at) (local.get $text)) (local.get $left)))

;; `text.contains(part)`.
(func $fn_contains (param $text i32) (param $part i32) (result i32)
  (if (i32.and (i32.eq (call $tag (local.get $text)) (i32.const 6)) (i32.eq (call $tag (local.get $part)) (i32.const 6)))
    (then
      (if (i32.eqz (call $charge_scan (local.get $text))) (then (return (global.get $fatal))))
      (return
        (call $bool
          (i32.ge_s
            (call $text_find
              (call $address (local.get $text)) (call $count (local.get $text))
              (call $address (local.get $part)) (call $count (local.get $part)))
            (i32.const 0))))))
  (call $no_overload (local.get $text) (local.get $part)))

;; `text.startsWith(part)`.
(func $fn_starts_with (param $text i32) (param $part i32) (result i32)
  (call $text_at_edge (local.get $text) (local.get $part) (i32.const 0)))

;; `text.endsWith(part)`.
(func $fn_ends_with (param $text i32) (param $part i32) (result i32)
  (call $text_at_edge (local.get $text) (local.get $part) (i32.const -1)))

;; Whether a string has another at its start (edge 0) or at its end (edge -1), as a cell.
(func $text_at_edge (param $text i32) (param $part i32) (param $edge i32) (result i32)
  (local $spare i32)
  (if (i32.eqz
        (i32.and (i32.eq (call $tag (local.get $text)) (i32.const 6)) (i32.eq (call $tag (local.get $part)) (i32.const 6))))
    (then (return (call $no_overload (local.get $text) (local.get $part)))))
  (if (i32.eqz (call $charge_scan (local.get $part))) (then (return (global.get $fatal))))
  (local.set $spare (i32.sub (call $count (local.get $text)) (call $count (local.get $part))))
  (if (i32.lt_s (local.get $spare) (i32.const 0)) (then (return (i32.const 528))))
  (call $bool
    (call $same_bytes
      (i32.add (call $address (local.get $text)) (i32.and (local.get $spare) (local.get $edge)))
      (call $address (local.get $part))
      (call $count (local.get $part)))))

;; `text.charAt(position)`.
(func $fn_char_at (param $text i32) (param $position i32) (result i32)
  (local $offset i32) (local $at i32)
  (local.set $offset
    (call $text_expect (local.get $text) (i32.const 6)
      (call $text_expect (local.get $position) (i32.const 3) (i32.const 0))))
  (if (local.get $offset) (then (return (local.get $offset))))
  (if (i32.eqz (call $charge_scan (local.get $text))) (then (return (global.get $fatal))))
  (local.set $offset
    (call $text_offset
      (call $address (local.get $text)) (call $count (local.get $text)) (i64.load offset=8 (local.get $position))))
  (if (i32.lt_s (local.get $offset) (i32.const 0)) (then (return (i32.const 48))))
  (local.set $at (i32.add (call $address (local.get $text)) (local.get $offset)))
  (if (i32.eq (local.get $offset) (call $count (local.get $text)))
    (then (return (call $text_slice (local.get $at) (i32.const 0)))))
  (call $text_slice (local.get $at) (call $text_width (i32.load8_u (local.get $at)))))

;; `text.substring(start)`.
(func $fn_substring (param $text i32) (param $start i32) (result i32)
  (local $offset i32)
  (local.set $offset
    (call $text_expect (local.get $text) (i32.const 6)
      (call $text_expect (local.get $start) (i32.const 3) (i32.const 0))))
  (if (local.get $offset) (then (return (local.get $offset))))
  (if (i32.eqz (call $charge_scan (local.get $text))) (then (return (global.get $fatal))))
  (local.set $offset
    (call $text_offset
      (call $address (local.get $text)) (call $count (local.get $text)) (i64.load offset=8 (local.get $start))))
  (if (i32.lt_s (local.get $offset) (i32.const 0)) (then (return (i32.const 48))))
  (call $text_slice
    (i32.add (call $address (local.get $text)) (local.get $offset))
    (i32.sub (call $count (local.get $text)) (local.get $offset))))

;; `text.substring(start, end)`.
(func $fn_substring_range (param $text i32) (param $start i32) (param $end i32) (result i32)
  (local $offset i32) (local $at i32)
  (local.set $offset
    (call $text_expect (local.get $text) (i32.const 6)
      (call $text_expect (local.get $start) (i32.const 3)
        (call $text_expect (local.get $end) (i32.const 3) (i32.const 0)))))
  (if (local.get $offset) (then (return (local.get $offset))))
  (if (i32.eqz (call $charge_scan (local.get $text))) (then (return (global.get $fatal))))
  (local.set $offset
    (call $text_offset
      (call $address (local.get $text)) (call $count (local.get $text)) (i64.load offset=8 (local.get $start))))
  (if (i32.lt_s (local.get $offset) (i32.const 0)) (then (return (i32.const 48))))
  (local.set $at (i32.add (call $address (local.get $text)) (local.get $offset)))
  ;; An end before the start is a negative number of code points, which no text has.
  (local.set $offset
    (call $text_offset
      (local.get $at)
      (i32.sub (call $count (local.get $text)) (local.get $offset))
      (i64.sub (i64.load offset=8 (local.get $end)) (i64.load offset=8 (local.get $start)))))
  (if (i32.lt_s (local.get $offset) (i32.const 0)) (then (return (i32.const 48))))
  (call $text_slice (local.get $at) (local.get $offset)))

;; `text.trim()`.
(func $fn_trim (param $text i32) (result i32)
  (local $at i32) (local $end i32) (local $lead i32) (local $width i32)
  (if (i32.ne (call $tag (local.get $text)) (i32.const 6)) (then (return (call $not_a_test (local.get $text)))))
  (if (i32.eqz (call $charge_scan (local.get $text))) (then (return (global.get $fatal))))
  (local.set $at (call $address (local.get $text)))
  (local.set $end (i32.add (local.get $at) (call $count (local.get $text))))
  (block $left
    (loop $next
      (br_if $left (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $width (call $text_white (local.get $at)))
      (br_if $left (i32.eqz (local.get $width)))
      (local.set $at (i32.add (local.get $at) (local.get $width)))
      (br $next)))
  (block $right
    (loop $next
      (br_if $right (i32.le_u (local.get $end) (local.get $at)))
      (local.set $lead (local.get $end))
      (loop $back
        (local.set $lead (i32.sub (local.get $lead) (i32.const 1)))
        (br_if $back (i32.eq (i32.and (i32.load8_u (local.get $lead)) (i32.const 0xc0)) (i32.const 0x80))))
      (br_if $right (i32.eqz (call $text_white (local.get $lead))))
      (local.set $end (local.get $lead))
      (br $next)))
  (call $text_slice (local.get $at) (i32.sub (local.get $end) (local.get $at))))

;; The length in bytes of the White_Space code point at an address (L5.5); 0 where another one stands there.
(func $text_white (param $at i32) (result i32)
  (local $code i32)
  (local.set $code (i32.load8_u (local.get $at)))
  (if (i32.lt_u (local.get $code) (i32.const 0x80))
    (then
      (return
        (i32.or
          (i32.eq (local.get $code) (i32.const 32))
          (i32.lt_u (i32.sub (local.get $code) (i32.const 9)) (i32.const 5))))))
  (if (i32.eq (local.get $code) (i32.const 0xc2))
    (then
      (local.set $code (i32.load8_u offset=1 (local.get $at)))
      (return
        (i32.shl
          (i32.or (i32.eq (local.get $code) (i32.const 0x85)) (i32.eq (local.get $code) (i32.const 0xa0)))
          (i32.const 1)))))
  ;; E1, E2 and E3 begin three bytes.
  (if (i32.ge_u (i32.sub (local.get $code) (i32.const 0xe1)) (i32.const 3)) (then (return (i32.const 0))))
  (local.set $code
    (i32.or
      (i32.shl (local.get $code) (i32.const 16))
      (i32.or
        (i32.shl (i32.load8_u offset=1 (local.get $at)) (i32.const 8))
        (i32.load8_u offset=2 (local.get $at)))))
  (if (i32.lt_u (i32.sub (local.get $code) (i32.const 0xe28080)) (i32.const 11)) (then (return (i32.const 3))))
  (if (i32.eq (i32.or (local.get $code) (i32.const 1)) (i32.const 0xe280a9)) (then (return (i32.const 3))))
  (if (i32.eq (local.get $code) (i32.const 0xe280af)) (then (return (i32.const 3))))
  (if (i32.eq (local.get $code) (i32.const 0xe2819f)) (then (return (i32.const 3))))
  (if (i32.eq (local.get $code) (i32.const 0xe19a80)) (then (return (i32.const 3))))
  (i32.mul (i32.eq (local.get $code) (i32.const 0xe38080)) (i32.const 3)))

;; `text.lowerAscii()`.
(func $fn_lower_ascii (param $text i32) (result i32)
  (call $text_with_case (local.get $text) (i32.const 65)))

;; `text.upperAscii()`.
(func $fn_upper_ascii (param $text i32) (result i32)
  (call $text_with_case (local.get $text) (i32.const 97)))

;; A copy of a string with the case of 26 ASCII letters flipped. first: the first of them, A or a.
(func $text_with_case (param $text i32) (param $first i32) (result i32)
  (local $from i32) (local $to i32) (local $end i32) (local $copy i32) (local $byte i32)
  (if (i32.ne (call $tag (local.get $text)) (i32.const 6)) (then (return (call $not_a_test (local.get $text)))))
  (if (i32.eqz (call $charge_bytes (call $count (local.get $text)))) (then (return (global.get $fatal))))
  (local.set $copy (call $alloc (call $count (local.get $text))))
  (local.set $from (call $address (local.get $text)))
  (local.set $end (i32.add (local.get $from) (call $count (local.get $text))))
  (local.set $to (local.get $copy))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $from) (local.get $end)))
      (local.set $byte (i32.load8_u (local.get $from)))
      (i32.store8 (local.get $to)
        (i32.xor
          (local.get $byte)
          (i32.shl
            (i32.lt_u (i32.sub (local.get $byte) (local.get $first)) (i32.const 26))
            (i32.const 5))))
      (local.set $from (i32.add (local.get $from) (i32.const 1)))
      (local.set $to (i32.add (local.get $to) (i32.const 1)))
      (br $next)))
  (call $new_string (local.get $copy) (call $count (local.get $text))))

;; `strings.quote(text)`.
(func $fn_quote (param $text i32) (result i32)
  (local $at i32) (local $end i32) (local $length i32) (local $copy i32) (local $to i32) (local $letter i32)
  (if (i32.ne (call $tag (local.get $text)) (i32.const 6)) (then (return (call $not_a_test (local.get $text)))))
  (local.set $at (call $address (local.get $text)))
  (local.set $length (call $count (local.get $text)))
  (local.set $end (i32.add (local.get $at) (local.get $length)))
  (local.set $length (i32.add (local.get $length) (i32.const 2)))
  (block $counted
    (loop $next
      (br_if $counted (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $length
        (i32.add (local.get $length) (i32.ne (call $text_escape (i32.load8_u (local.get $at))) (i32.const 0))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $next)))
  (if (i32.eqz (call $charge_bytes (local.get $length))) (then (return (global.get $fatal))))
  (local.set $copy (call $alloc (local.get $length)))
  (i32.store8 (local.get $copy) (i32.const 34))
  (local.set $to (i32.add (local.get $copy) (i32.const 1)))
  (local.set $at (call $address (local.get $text)))
  (block $copied
    (loop $next
      (br_if $copied (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $letter (call $text_escape (i32.load8_u (local.get $at))))
      (if (local.get $letter)
        (then
          (i32.store8 (local.get $to) (i32.const 92))
          (local.set $to (i32.add (local.get $to) (i32.const 1))))
        (else (local.set $letter (i32.load8_u (local.get $at)))))
      (i32.store8 (local.get $to) (local.get $letter))
      (local.set $to (i32.add (local.get $to) (i32.const 1)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $next)))
  (i32.store8 (local.get $to) (i32.const 34))
  (call $new_string (local.get $copy) (local.get $length)))

;; What follows the backslash in the escape of a byte (L5.6), or 0 for a byte that stands for itself.
(func $text_escape (param $byte i32) (result i32)
  ;; Bytes 7 to 13: a b t n v f r.
  (if (i32.lt_u (i32.sub (local.get $byte) (i32.const 7)) (i32.const 7))
    (then
      (return
        (i32.and
          (i32.wrap_i64
            (i64.shr_u
              (i64.const 0x7266766e746261)
              (i64.extend_i32_u (i32.shl (i32.sub (local.get $byte) (i32.const 7)) (i32.const 3)))))
          (i32.const 255)))))
  (i32.mul
    (local.get $byte)
    (i32.or (i32.eq (local.get $byte) (i32.const 34)) (i32.eq (local.get $byte) (i32.const 92)))))

;; A string's code points, last first, charged: `reverse` of a string. text: a string cell.
(func $text_reverse (param $text i32) (result i32)
  (local $at i32) (local $end i32) (local $to i32) (local $copy i32) (local $width i32)
  (if (i32.eqz (call $charge_bytes (call $count (local.get $text)))) (then (return (global.get $fatal))))
  (local.set $copy (call $alloc (call $count (local.get $text))))
  (local.set $at (call $address (local.get $text)))
  (local.set $end (i32.add (local.get $at) (call $count (local.get $text))))
  (local.set $to (i32.add (local.get $copy) (call $count (local.get $text))))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $width (call $text_width (i32.load8_u (local.get $at))))
      (local.set $to (i32.sub (local.get $to) (local.get $width)))
      (memory.copy (local.get $to) (local.get $at) (local.get $width))
      (local.set $at (i32.add (local.get $at) (local.get $width)))
      (br $next)))
  (call $new_string (local.get $copy) (call $count (local.get $text))))
