;; `format` (docs/language.md L5.7). The text grows in a stretch of the heap as long as what is left of the allocation
;; budget. In scratch: at +3072 the address where it goes on, at +3076 its limit, at +3080 room for a short text.
;; Functions that write return 0, or the cell of the fault that ends the whole.

;; `template.format(operands)`.
(func $fn_format (param $template i32) (param $operands i32) (result i32)
  (local $start i32) (local $refused i32) (local $length i32)
  (local.set $refused
    (call $text_expect (local.get $template) (i32.const 6)
      (call $text_expect (local.get $operands) (i32.const 8) (i32.const 0))))
  (if (local.get $refused) (then (return (local.get $refused))))
  (if (i32.eqz (call $charge_scan (local.get $template))) (then (return (global.get $fatal))))
  (local.set $start (call $alloc (global.get $bytes)))
  (i32.store offset=3072 (global.get $scratch) (local.get $start))
  (i32.store offset=3076 (global.get $scratch) (i32.add (local.get $start) (global.get $bytes)))
  (local.set $refused (call $format_all (local.get $template) (local.get $operands)))
  (global.set $heap (local.get $start))
  (local.set $length (i32.sub (i32.load offset=3072 (global.get $scratch)) (local.get $start)))
  (if (i32.eqz (call $charge_bytes (local.get $length))) (then (return (global.get $fatal))))
  (if (local.get $refused) (then (return (local.get $refused))))
  (drop (call $alloc (local.get $length)))
  (call $new_string (local.get $start) (local.get $length)))

;; Writes bytes.
(func $format_put (param $from i32) (param $length i32) (result i32)
  (local $to i32)
  (local.set $to (i32.load offset=3072 (global.get $scratch)))
  (if (i32.gt_u (local.get $length) (i32.sub (i32.load offset=3076 (global.get $scratch)) (local.get $to)))
    (then
      ;; More than is left of the budget.
      (drop (call $charge_bytes (i32.const -1)))
      (return (global.get $fatal))))
  (memory.copy (local.get $to) (local.get $from) (local.get $length))
  (i32.store offset=3072 (global.get $scratch) (i32.add (local.get $to) (local.get $length)))
  (i32.const 0))

;; Writes a word of at most eight bytes, given as a little-endian number.
(func $format_word (param $word i64) (result i32)
  (i64.store offset=3080 (global.get $scratch) (local.get $word))
  (call $format_put
    (i32.add (global.get $scratch) (i32.const 3080))
    (i32.sub (i32.const 8) (i32.wrap_i64 (i64.shr_u (i64.clz (local.get $word)) (i64.const 3))))))

;; Writes the text that a string cell has; what was allocated from mark on is given back. A fault is the result.
(func $format_cell (param $cell i32) (param $mark i32) (result i32)
  (if (call $is_fault (local.get $cell)) (then (return (local.get $cell))))
  (local.set $cell (call $format_put (call $address (local.get $cell)) (call $count (local.get $cell))))
  (global.set $heap (local.get $mark))
  (local.get $cell))

;; Writes the template with its operands.
(func $format_all (param $template i32) (param $operands i32) (result i32)
  (local $at i32) (local $end i32) (local $from i32) (local $verb i32) (local $precision i32) (local $digit i32)
  (local $operand i32) (local $last i32) (local $refused i32)
  (local.set $at (call $address (local.get $template)))
  (local.set $end (i32.add (local.get $at) (call $count (local.get $template))))
  (local.set $operand (call $address (local.get $operands)))
  (local.set $last (i32.add (local.get $operand) (i32.shl (call $count (local.get $operands)) (i32.const 2))))
  (loop $next
    (local.set $from (local.get $at))
    (block $percent
      (loop $plain
        (br_if $percent (i32.ge_u (local.get $at) (local.get $end)))
        (br_if $percent (i32.eq (i32.load8_u (local.get $at)) (i32.const 37)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $plain)))
    (local.set $refused (call $format_put (local.get $from) (i32.sub (local.get $at) (local.get $from))))
    (if (i32.or (local.get $refused) (i32.eq (local.get $at) (local.get $end))) (then (return (local.get $refused))))
    (local.set $at (i32.add (local.get $at) (i32.const 1)))
    (local.set $verb (call $format_byte (local.get $at) (local.get $end)))
    ;; A precision: a point and one or two digits, then f or e.
    (local.set $precision (i32.const 6))
    (if (i32.eq (local.get $verb) (i32.const 46))
      (then
        (local.set $from (local.get $at))
        (local.set $precision (i32.const 0))
        (loop $more
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (local.set $verb (call $format_byte (local.get $at) (local.get $end)))
          (local.set $digit (i32.sub (local.get $verb) (i32.const 48)))
          (if (i32.lt_u (local.get $digit) (i32.const 10))
            (then
              (local.set $precision (i32.add (i32.mul (local.get $precision) (i32.const 10)) (local.get $digit)))
              (br_if $more (i32.lt_u (i32.sub (local.get $at) (local.get $from)) (i32.const 3))))))
        (if (i32.or
              (i32.eq (i32.sub (local.get $at) (local.get $from)) (i32.const 1))
              (i32.gt_u (i32.sub (local.get $verb) (i32.const 101)) (i32.const 1)))
          (then (return (i32.const 96))))))
    (local.set $at (i32.add (local.get $at) (i32.const 1)))
    (if (i32.eq (local.get $verb) (i32.const 37))
      (then (local.set $refused (call $format_word (i64.const 37))))
      (else
        (if (i32.eqz (call $format_is_verb (local.get $verb))) (then (return (i32.const 96))))
        (if (i32.ge_u (local.get $operand) (local.get $last)) (then (return (i32.const 96))))
        (local.set $refused
          (call $format_operand (i32.load (local.get $operand)) (local.get $verb) (local.get $precision)))
        (local.set $operand (i32.add (local.get $operand) (i32.const 4)))))
    (br_if $next (i32.eqz (local.get $refused))))
  (local.get $refused))

;; The byte at an address, or 0 at the end.
(func $format_byte (param $at i32) (param $end i32) (result i32)
  (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (i32.const 0))))
  (i32.load8_u (local.get $at)))

;; Whether a byte is one of X b d e f o s x.
(func $format_is_verb (param $byte i32) (result i32)
  (i32.and
    (i32.lt_u (i32.sub (local.get $byte) (i32.const 88)) (i32.const 33))
    (i32.wrap_i64
      (i64.shr_u (i64.const 0x108807401) (i64.extend_i32_u (i32.sub (local.get $byte) (i32.const 88)))))))

;; Writes an operand by its verb.
(func $format_operand (param $cell i32) (param $verb i32) (param $precision i32) (result i32)
  (local $tag i32) (local $buffer i32)
  (if (call $is_fault (local.get $cell)) (then (return (local.get $cell))))
  (if (i32.eq (local.get $verb) (i32.const 115)) (then (return (call $format_value (local.get $cell)))))
  (local.set $tag (call $tag (local.get $cell)))
  ;; d, e or f
  (if (i32.lt_u (i32.sub (local.get $verb) (i32.const 100)) (i32.const 3))
    (then
      (if (i32.eqz (call $is_number (local.get $tag))) (then (return (i32.const 96))))
      (if (i32.and (i32.eq (local.get $tag) (i32.const 5)) (i32.eqz (call $format_is_finite (local.get $cell))))
        (then (return (call $format_value (local.get $cell)))))
      (if (i32.eq (local.get $verb) (i32.const 100))
        (then
          (if (i32.eq (local.get $tag) (i32.const 5)) (then (return (i32.const 96))))
          (return (call $format_value (local.get $cell)))))
      (local.set $buffer (i32.add (global.get $scratch) (i32.const 2560)))
      (return
        (call $format_double
          (local.get $buffer)
          (i32.sub
            (call $double_write
              (local.get $buffer) (call $as_double (local.get $cell))
              (local.get $precision) (i32.eq (local.get $verb) (i32.const 101)))
            (local.get $buffer))))))
  (call $format_radix (local.get $cell) (local.get $tag) (local.get $verb)))

;; Writes the text of a double, charged (L2.9).
(func $format_double (param $from i32) (param $length i32) (result i32)
  (local $refused i32)
  (local.set $refused (call $format_put (local.get $from) (local.get $length)))
  (if (local.get $refused) (then (return (local.get $refused))))
  (if (call $charge_double_text (local.get $length)) (then (return (i32.const 0))))
  (global.get $fatal))

;; Whether a double's cell holds a finite number.
(func $format_is_finite (param $cell i32) (result i32)
  (f64.lt (f64.abs (f64.load offset=8 (local.get $cell))) (f64.const inf)))

;; Writes an operand by one of the verbs b o x X.
(func $format_radix (param $cell i32) (param $tag i32) (param $verb i32) (result i32)
  (local $base i64) (local $upper i32) (local $sign i32) (local $value i64) (local $at i32) (local $end i32)
  (local.set $upper (i32.shl (i32.eq (local.get $verb) (i32.const 88)) (i32.const 5)))
  (local.set $value (i64.load offset=8 (local.get $cell)))
  (if (i32.eq (i32.or (local.get $verb) (i32.const 32)) (i32.const 120))
    (then
      (if (i32.eq (i32.and (local.get $tag) (i32.const -2)) (i32.const 6))
        (then
          (return
            (call $format_hex (call $address (local.get $cell)) (call $count (local.get $cell)) (local.get $upper)))))))
  (if (i32.and (i32.eq (local.get $tag) (i32.const 2)) (i32.eq (local.get $verb) (i32.const 98)))
    (then (return (call $format_word (i64.add (local.get $value) (i64.const 48))))))
  (if (i32.eq (local.get $tag) (i32.const 3))
    (then
      (if (i64.lt_s (local.get $value) (i64.const 0))
        (then
          (local.set $sign (i32.const 45))
          (local.set $value (i64.sub (i64.const 0) (local.get $value))))))
    (else (if (i32.ne (local.get $tag) (i32.const 4)) (then (return (i32.const 96))))))
  (local.set $base (i64.const 16))
  (if (i32.eq (local.get $verb) (i32.const 98)) (then (local.set $base (i64.const 2))))
  (if (i32.eq (local.get $verb) (i32.const 111)) (then (local.set $base (i64.const 8))))
  (local.set $at (global.get $heap))
  (call $format_cell
    (call $digits_text (local.get $value) (local.get $base) (local.get $upper) (local.get $sign))
    (local.get $at)))

;; Writes bytes in hexadecimal. upper: 32 less for A to F, else 0.
(func $format_hex (param $at i32) (param $length i32) (param $upper i32) (result i32)
  (local $end i32) (local $refused i32) (local $word i32)
  (local.set $end (i32.add (local.get $at) (local.get $length)))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      ;; The high half first in memory; 39 leads from behind 9 to a.
      (local.set $word
        (i32.or
          (i32.shr_u (i32.load8_u (local.get $at)) (i32.const 4))
          (i32.shl (i32.and (i32.load8_u (local.get $at)) (i32.const 15)) (i32.const 8))))
      (local.set $word
        (i32.add
          (i32.add (local.get $word) (i32.const 0x3030))
          (i32.mul
            (i32.and (i32.shr_u (i32.add (local.get $word) (i32.const 0x0606)) (i32.const 4)) (i32.const 0x0101))
            (i32.sub (i32.const 39) (local.get $upper)))))
      (local.set $refused (call $format_word (i64.extend_i32_u (local.get $word))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (i32.eqz (local.get $refused)))))
  (local.get $refused))

;; Writes any value: the verb s.
(func $format_value (param $cell i32) (result i32)
  (local $tag i32) (local $mark i32)
  (if (call $is_fault (local.get $cell)) (then (return (local.get $cell))))
  (local.set $tag (call $tag (local.get $cell)))
  (if (i32.eq (local.get $tag) (i32.const 1)) (then (return (call $format_word (i64.const 0x6c6c756e)))))
  (if (i32.eq (local.get $tag) (i32.const 8)) (then (return (call $format_list (local.get $cell)))))
  (if (i32.eq (local.get $tag) (i32.const 9)) (then (return (call $format_map (local.get $cell)))))
  (if (i32.eq (local.get $tag) (i32.const 12))
    (then (return (call $format_put (call $address (local.get $cell)) (call $count (local.get $cell))))))
  (if (i32.gt_u (local.get $tag) (i32.const 12)) (then (return (i32.const 96))))
  (if (i32.eq (local.get $tag) (i32.const 7))
    (then (if (i32.eqz (call $charge_scan (local.get $cell))) (then (return (global.get $fatal))))))
  (local.set $mark (global.get $heap))
  (if (i32.eq (local.get $tag) (i32.const 5))
    (then
      (if (f64.eq (f64.abs (f64.load offset=8 (local.get $cell))) (f64.const inf))
        (then (return (call $format_infinity (f64.lt (f64.load offset=8 (local.get $cell)) (f64.const 0))))))
      (local.set $cell (call $text_of (local.get $cell)))
      (local.set $cell (call $format_double (call $address (local.get $cell)) (call $count (local.get $cell))))
      (global.set $heap (local.get $mark))
      (return (local.get $cell))))
  (call $format_cell (call $text_of (local.get $cell)) (local.get $mark)))

;; Writes an infinity: `Infinity`, with a sign where it is negative.
(func $format_infinity (param $negative i32) (result i32)
  (i32.store8 offset=3080 (global.get $scratch) (i32.const 45))
  (i64.store offset=3081 align=1 (global.get $scratch) (i64.const 0x7974696e69666e49))
  (call $format_double
    (i32.sub (i32.add (global.get $scratch) (i32.const 3081)) (local.get $negative))
    (i32.add (i32.const 8) (local.get $negative))))

;; Writes a list: its elements in brackets.
(func $format_list (param $list i32) (result i32)
  (local $at i32) (local $end i32) (local $refused i32) (local $before i64)
  (local.set $at (call $address (local.get $list)))
  (local.set $end (i32.add (local.get $at) (i32.shl (call $count (local.get $list)) (i32.const 2))))
  (local.set $refused (call $format_word (i64.const 91)))
  (block $done
    (loop $next
      (br_if $done (i32.or (local.get $refused) (i32.ge_u (local.get $at) (local.get $end))))
      (local.set $refused (call $format_word (local.get $before)))
      (br_if $done (local.get $refused))
      (local.set $before (i64.const 0x202c))
      (local.set $refused (call $format_value (i32.load (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 4)))
      (br $next)))
  (if (local.get $refused) (then (return (local.get $refused))))
  (call $format_word (i64.const 93)))

;; Writes a map: its entries in braces, ordered by the text of their keys.
(func $format_map (param $map i32) (result i32)
  (local $entries i32) (local $at i32) (local $end i32) (local $refused i32) (local $before i64) (local $entry i32)
  (local $mark i32)
  (if (i32.eqz
        (i32.and
          (call $charge_steps (i32.shl (call $count (local.get $map)) (i32.const 1)))
          (call $charge_keys (local.get $map))))
    (then (return (global.get $fatal))))
  (local.set $entries (call $format_ordered (local.get $map)))
  (local.set $at (local.get $entries))
  (local.set $end (i32.add (local.get $at) (i32.shl (call $count (local.get $map)) (i32.const 2))))
  (local.set $refused (call $format_word (i64.const 123)))
  (block $done
    (loop $next
      (br_if $done (i32.or (local.get $refused) (i32.ge_u (local.get $at) (local.get $end))))
      (local.set $refused (call $format_word (local.get $before)))
      (br_if $done (local.get $refused))
      (local.set $before (i64.const 0x202c))
      (local.set $entry (i32.load (local.get $at)))
      (local.set $mark (global.get $heap))
      (local.set $refused (call $format_cell (call $text_of (i32.load (local.get $entry))) (local.get $mark)))
      (br_if $done (local.get $refused))
      (local.set $refused (call $format_word (i64.const 0x203a)))
      (br_if $done (local.get $refused))
      (local.set $refused (call $format_value (i32.load offset=4 (local.get $entry))))
      (local.set $at (i32.add (local.get $at) (i32.const 4)))
      (br $next)))
  (if (local.get $refused) (then (return (local.get $refused))))
  (global.set $heap (local.get $entries))
  (call $format_word (i64.const 125)))

;; The addresses of a map's entries, ordered by the text of their keys: a heap sort, in place and never quadratic.
(func $format_ordered (param $map i32) (result i32)
  (local $entries i32) (local $count i32) (local $i i32) (local $entry i32)
  (local.set $count (call $count (local.get $map)))
  (local.set $entries (call $alloc (i32.shl (local.get $count) (i32.const 2))))
  (block $filled
    (loop $next
      (br_if $filled (i32.eq (local.get $i) (local.get $count)))
      (i32.store
        (i32.add (local.get $entries) (i32.shl (local.get $i) (i32.const 2)))
        (i32.add (call $address (local.get $map)) (i32.shl (local.get $i) (i32.const 3))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
  (local.set $i (i32.shr_u (local.get $count) (i32.const 1)))
  (block $heaped
    (loop $next
      (br_if $heaped (i32.eqz (local.get $i)))
      (local.set $i (i32.sub (local.get $i) (i32.const 1)))
      (call $format_sift (local.get $entries) (local.get $i) (local.get $count))
      (br $next)))
  (block $sorted
    (loop $next
      (br_if $sorted (i32.lt_u (local.get $count) (i32.const 2)))
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      ;; The last of all goes behind the others.
      (local.set $i (i32.add (local.get $entries) (i32.shl (local.get $count) (i32.const 2))))
      (local.set $entry (i32.load (local.get $i)))
      (i32.store (local.get $i) (i32.load (local.get $entries)))
      (i32.store (local.get $entries) (local.get $entry))
      (call $format_sift (local.get $entries) (i32.const 0) (local.get $count))
      (br $next)))
  (local.get $entries))

;; Moves the entry at i down until the two below it come before it.
(func $format_sift (param $entries i32) (param $i i32) (param $count i32)
  (local $entry i32) (local $below i32) (local $candidate i32)
  (local.set $entry (i32.load (i32.add (local.get $entries) (i32.shl (local.get $i) (i32.const 2)))))
  (block $placed
    (loop $next
      (local.set $below (i32.add (i32.shl (local.get $i) (i32.const 1)) (i32.const 1)))
      (br_if $placed (i32.ge_u (local.get $below) (local.get $count)))
      (local.set $candidate (i32.load (i32.add (local.get $entries) (i32.shl (local.get $below) (i32.const 2)))))
      (if (i32.lt_u (i32.add (local.get $below) (i32.const 1)) (local.get $count))
        (then
          (if (call $format_before (local.get $candidate)
                (i32.load offset=4 (i32.add (local.get $entries) (i32.shl (local.get $below) (i32.const 2)))))
            (then
              (local.set $below (i32.add (local.get $below) (i32.const 1)))
              (local.set $candidate
                (i32.load (i32.add (local.get $entries) (i32.shl (local.get $below) (i32.const 2)))))))))
      (br_if $placed (i32.eqz (call $format_before (local.get $entry) (local.get $candidate))))
      (i32.store (i32.add (local.get $entries) (i32.shl (local.get $i) (i32.const 2))) (local.get $candidate))
      (local.set $i (local.get $below))
      (br $next)))
  (i32.store (i32.add (local.get $entries) (i32.shl (local.get $i) (i32.const 2))) (local.get $entry)))

;; Whether an entry of a map comes before another: by the texts of their keys, then as they are in the map.
(func $format_before (param $left i32) (param $right i32) (result i32)
  (local $mark i32) (local $order i32)
  (local.set $mark (global.get $heap))
  (local.set $order
    (call $compare_bytes
      (call $text_of (i32.load (local.get $left))) (call $text_of (i32.load (local.get $right)))))
  (global.set $heap (local.get $mark))
  (if (local.get $order) (then (return (i32.lt_s (local.get $order) (i32.const 0)))))
  (i32.lt_u (local.get $left) (local.get $right)))
