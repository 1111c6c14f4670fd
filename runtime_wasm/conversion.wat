;; Conversions (docs/language.md L4).

;; `dyn(operand)`.
(func $fn_dyn (param $operand i32) (result i32)
  (local.get $operand))

;; `type(operand)`: the name is built in memory, eight bytes at a time.
(func $fn_type (param $operand i32) (result i32)
  (local $tag i32) (local $name i32)
  (if (call $is_fault (local.get $operand)) (then (return (local.get $operand))))
  (local.set $tag (call $tag (local.get $operand)))
  (local.set $name
    (call $alloc
      (select (i32.const 32) (i32.const 16) (i32.lt_u (i32.sub (local.get $tag) (i32.const 10)) (i32.const 2)))))
  (block $long
    (block $type (block $map (block $list (block $bytes (block $string (block $double (block $uint (block $int
      (block $bool (block $null
        (br_table $null $null $bool $int $uint $double $string $bytes $list $map $long $long $type
          (local.get $tag)))
      (i64.store (local.get $name) (i64.const 0x7079745f6c6c756e))
      (i32.store8 offset=8 (local.get $name) (i32.const 0x65))
      (return (call $new_cell (i32.const 12) (i32.const 9) (i64.extend_i32_u (local.get $name)))))
      (return (call $short_type (local.get $name) (i64.const 0x6c6f6f62) (i32.const 4))))
      (return (call $short_type (local.get $name) (i64.const 0x746e69) (i32.const 3))))
      (return (call $short_type (local.get $name) (i64.const 0x746e6975) (i32.const 4))))
      (return (call $short_type (local.get $name) (i64.const 0x656c62756f64) (i32.const 6))))
      (return (call $short_type (local.get $name) (i64.const 0x676e69727473) (i32.const 6))))
      (return (call $short_type (local.get $name) (i64.const 0x7365747962) (i32.const 5))))
      (return (call $short_type (local.get $name) (i64.const 0x7473696c) (i32.const 4))))
      (return (call $short_type (local.get $name) (i64.const 0x70616d) (i32.const 3))))
    (return (call $short_type (local.get $name) (i64.const 0x65707974) (i32.const 4))))
  ;; google.protobuf. and then Timestamp (tag 10) or Duration (tag 11)
  (i64.store (local.get $name) (i64.const 0x702e656c676f6f67))
  (i64.store offset=8 (local.get $name) (i64.const 0x2e6675626f746f72))
  (if (i32.eq (local.get $tag) (i32.const 10))
    (then
      (i64.store offset=16 (local.get $name) (i64.const 0x6d617473656d6954))
      (i32.store8 offset=24 (local.get $name) (i32.const 0x70))
      (return (call $new_cell (i32.const 12) (i32.const 25) (i64.extend_i32_u (local.get $name))))))
  (i64.store offset=16 (local.get $name) (i64.const 0x6e6f697461727544))
  (call $new_cell (i32.const 12) (i32.const 24) (i64.extend_i32_u (local.get $name))))

;; A type cell whose name has at most eight bytes, given as a little-endian number.
(func $short_type (param $at i32) (param $name i64) (param $length i32) (result i32)
  (i64.store (local.get $at) (local.get $name))
  (call $new_cell (i32.const 12) (local.get $length) (i64.extend_i32_u (local.get $at))))

;; `bool(operand)`: 1 t T true TRUE True and their opposites (L4.4).
(func $fn_to_bool (param $operand i32) (result i32)
  (local $word i64)
  (if (i32.eq (call $tag (local.get $operand)) (i32.const 2)) (then (return (local.get $operand))))
  (if (i32.ne (call $tag (local.get $operand)) (i32.const 6))
    (then (return (call $not_a_test (local.get $operand)))))
  (local.set $word (call $word_of (local.get $operand)))
  (if (i64.eq (local.get $word) (i64.const 0x31)) (then (return (i32.const 544))))
  (if (i64.eq (local.get $word) (i64.const 0x74)) (then (return (i32.const 544))))
  (if (i64.eq (local.get $word) (i64.const 0x54)) (then (return (i32.const 544))))
  (if (i64.eq (local.get $word) (i64.const 0x65757274)) (then (return (i32.const 544))))
  (if (i64.eq (local.get $word) (i64.const 0x45555254)) (then (return (i32.const 544))))
  (if (i64.eq (local.get $word) (i64.const 0x65757254)) (then (return (i32.const 544))))
  (if (i64.eq (local.get $word) (i64.const 0x30)) (then (return (i32.const 528))))
  (if (i64.eq (local.get $word) (i64.const 0x66)) (then (return (i32.const 528))))
  (if (i64.eq (local.get $word) (i64.const 0x46)) (then (return (i32.const 528))))
  (if (i64.eq (local.get $word) (i64.const 0x65736c6166)) (then (return (i32.const 528))))
  (if (i64.eq (local.get $word) (i64.const 0x45534c4146)) (then (return (i32.const 528))))
  (if (i64.eq (local.get $word) (i64.const 0x65736c6146)) (then (return (i32.const 528))))
  (i32.const 96))

;; The bytes of a string of at most eight, as a little-endian number; 0 for an empty or longer one, or one with a NUL.
(func $word_of (param $cell i32) (result i64)
  (local $i i32) (local $word i64) (local $byte i64)
  (local.set $i (call $count (local.get $cell)))
  (if (i32.gt_u (local.get $i) (i32.const 8)) (then (return (i64.const 0))))
  (block $done
    (loop $next
      (br_if $done (i32.eqz (local.get $i)))
      (local.set $i (i32.sub (local.get $i) (i32.const 1)))
      (local.set $byte (i64.load8_u (i32.add (call $address (local.get $cell)) (local.get $i))))
      (if (i64.eqz (local.get $byte)) (then (return (i64.const 0))))
      (local.set $word (i64.or (i64.shl (local.get $word) (i64.const 8)) (local.get $byte)))
      (br $next)))
  (local.get $word))

;; `bytes(operand)`.
(func $fn_to_bytes (param $operand i32) (result i32)
  (local $tag i32)
  (local.set $tag (call $tag (local.get $operand)))
  (if (i32.and (i32.ne (local.get $tag) (i32.const 6)) (i32.ne (local.get $tag) (i32.const 7)))
    (then (return (call $not_a_test (local.get $operand)))))
  (if (i32.eqz (call $charge_bytes (call $count (local.get $operand)))) (then (return (global.get $fatal))))
  (call $new_bytes (call $address (local.get $operand)) (call $count (local.get $operand))))

;; `double(operand)`.
(func $fn_to_double (param $operand i32) (result i32)
  (if (call $is_number (call $tag (local.get $operand)))
    (then (return (call $new_double (call $as_double (local.get $operand))))))
  (if (i32.eq (call $tag (local.get $operand)) (i32.const 6))
    (then
      (if (i32.eqz (call $charge_digits (local.get $operand))) (then (return (global.get $fatal))))
      (return (call $double_parse (call $address (local.get $operand)) (call $count (local.get $operand))))))
  (call $not_a_test (local.get $operand)))

;; Takes the steps of reading a double from a string cell (L2.9): none where up to 15 digits and a point make an exact
;; quotient. Result as $charge_steps.
(func $charge_digits (param $text i32) (result i32)
  (local $at i32) (local $end i32)
  (local.set $at (call $address (local.get $text)))
  (local.set $end (i32.add (local.get $at) (call $count (local.get $text))))
  (block $costly
    (br_if $costly (i32.ge_u (call $count (local.get $text)) (i32.const 16)))
    (loop $next
      (if (i32.eq (local.get $at) (local.get $end)) (then (return (i32.const 1))))
      ;; e or E
      (br_if $costly (i32.eq (i32.or (i32.load8_u (local.get $at)) (i32.const 0x20)) (i32.const 101)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $next)))
  (call $charge_steps
    (i32.add (i32.shr_u (call $count (local.get $text)) (i32.const 4)) (i32.const 4))))

;; `int(operand)` (L4.1, L4.2, L4.9).
(func $fn_to_int (param $operand i32) (result i32)
  (local $tag i32) (local $a i64) (local $value f64)
  (local.set $tag (call $tag (local.get $operand)))
  (local.set $a (i64.load offset=8 (local.get $operand)))
  (if (i32.eq (local.get $tag) (i32.const 3)) (then (return (local.get $operand))))
  (if (i32.eq (local.get $tag) (i32.const 4))
    (then
      (if (i64.lt_s (local.get $a) (i64.const 0)) (then (return (i32.const 80))))
      (return (call $new_int (local.get $a)))))
  (if (i32.eq (local.get $tag) (i32.const 5))
    (then
      (local.set $value (f64.reinterpret_i64 (local.get $a)))
      (if (i32.eqz
            (i32.and
              (f64.gt (local.get $value) (f64.const -9223372036854775808))
              (f64.lt (local.get $value) (f64.const 9223372036854775808))))
        (then (return (i32.const 80))))
      (return (call $new_int (i64.trunc_sat_f64_s (local.get $value))))))
  (if (i32.eq (local.get $tag) (i32.const 6))
    (then
      (if (i32.eqz (call $charge_scan (local.get $operand))) (then (return (global.get $fatal))))
      (return (call $parse_int (call $address (local.get $operand)) (call $count (local.get $operand))))))
  (if (i32.eq (local.get $tag) (i32.const 10)) (then (return (call $new_int (local.get $a)))))
  (if (i32.eq (local.get $tag) (i32.const 11))
    (then (return (call $new_int (i64.div_s (local.get $a) (i64.const 1000000000))))))
  (call $not_a_test (local.get $operand)))

;; The int of a text: an optional sign and decimal digits.
(func $parse_int (param $text i32) (param $length i32) (result i32)
  (local $sign i32) (local $cell i32) (local $value i64)
  ;; The digits' cell becomes the answer's: it is new, and nothing else has it.
  (if (local.get $length) (then (local.set $sign (i32.load8_u (local.get $text)))))
  (if (i32.or (i32.eq (local.get $sign) (i32.const 43)) (i32.eq (local.get $sign) (i32.const 45)))
    (then
      (local.set $text (i32.add (local.get $text) (i32.const 1)))
      (local.set $length (i32.sub (local.get $length) (i32.const 1)))))
  (local.set $cell (call $parse_digits (local.get $text) (local.get $length)))
  (if (call $is_fault (local.get $cell)) (then (return (local.get $cell))))
  (local.set $value (i64.load offset=8 (local.get $cell)))
  (if (i32.eq (local.get $sign) (i32.const 45))
    (then
      (if (i64.gt_u (local.get $value) (i64.const 0x8000000000000000)) (then (return (i32.const 80))))
      (i64.store offset=8 (local.get $cell) (i64.sub (i64.const 0) (local.get $value))))
    (else (if (i64.lt_s (local.get $value) (i64.const 0)) (then (return (i32.const 80))))))
  (i32.store (local.get $cell) (i32.const 3))
  (local.get $cell))

;; The uint of decimal digits; invalid_argument for anything else, overflow beyond 64 bits.
(func $parse_digits (param $text i32) (param $length i32) (result i32)
  (local $end i32) (local $digit i64) (local $value i64) (local $large i32)
  (if (i32.eqz (local.get $length)) (then (return (i32.const 96))))
  (local.set $end (i32.add (local.get $text) (local.get $length)))
  (loop $next
    (local.set $digit (i64.sub (i64.load8_u (local.get $text)) (i64.const 48)))
    (if (i64.gt_u (local.get $digit) (i64.const 9)) (then (return (i32.const 96))))
    (if (i64.gt_u (local.get $value) (i64.const 1844674407370955161)) (then (local.set $large (i32.const 1))))
    (local.set $value (i64.mul (local.get $value) (i64.const 10)))
    (local.set $value (i64.add (local.get $value) (local.get $digit)))
    (if (i64.lt_u (local.get $value) (local.get $digit)) (then (local.set $large (i32.const 1))))
    (local.set $text (i32.add (local.get $text) (i32.const 1)))
    (br_if $next (i32.lt_u (local.get $text) (local.get $end))))
  (if (local.get $large) (then (return (i32.const 80))))
  (call $new_uint (local.get $value)))

;; `uint(operand)` (L4.1, L4.2).
(func $fn_to_uint (param $operand i32) (result i32)
  (local $tag i32) (local $a i64) (local $value f64)
  (local.set $tag (call $tag (local.get $operand)))
  (local.set $a (i64.load offset=8 (local.get $operand)))
  (if (i32.eq (local.get $tag) (i32.const 4)) (then (return (local.get $operand))))
  (if (i32.eq (local.get $tag) (i32.const 3))
    (then
      (if (i64.lt_s (local.get $a) (i64.const 0)) (then (return (i32.const 80))))
      (return (call $new_uint (local.get $a)))))
  (if (i32.eq (local.get $tag) (i32.const 5))
    (then
      (local.set $value (f64.reinterpret_i64 (local.get $a)))
      (if (i32.eqz
            (i32.and
              (f64.gt (local.get $value) (f64.const -1))
              (f64.lt (local.get $value) (f64.const 18446744073709551616))))
        (then (return (i32.const 80))))
      (return (call $new_uint (i64.trunc_sat_f64_u (local.get $value))))))
  (if (i32.eq (local.get $tag) (i32.const 6))
    (then
      (if (i32.eqz (call $charge_scan (local.get $operand))) (then (return (global.get $fatal))))
      (return (call $parse_digits (call $address (local.get $operand)) (call $count (local.get $operand))))))
  (call $not_a_test (local.get $operand)))

;; `string(operand)`, charged.
(func $fn_to_string (param $operand i32) (result i32)
  (local $tag i32)
  (local.set $tag (call $tag (local.get $operand)))
  (if (i32.eq (local.get $tag) (i32.const 7))
    (then (if (i32.eqz (call $charge_scan (local.get $operand))) (then (return (global.get $fatal))))))
  (local.set $operand (call $text_of (local.get $operand)))
  (if (call $is_fault (local.get $operand)) (then (return (local.get $operand))))
  (if (i32.eq (local.get $tag) (i32.const 5))
    (then
      (if (i32.eqz (call $charge_double_text (call $count (local.get $operand)))) (then (return (global.get $fatal))))))
  (if (i32.eqz (call $charge_bytes (call $count (local.get $operand)))) (then (return (global.get $fatal))))
  (local.get $operand))

;; Takes the steps of writing a double in so many bytes (L2.9). Result as $charge_steps.
(func $charge_double_text (param $length i32) (result i32)
  (call $charge_steps (i32.add (i32.shr_u (local.get $length) (i32.const 2)) (i32.const 1))))

;; The string cell of a value's text (L4.5, L4.6, L4.9), not charged; a fault where there is none.
(func $text_of (param $operand i32) (result i32)
  (local $tag i32)
  (local.set $tag (call $tag (local.get $operand)))
  (if (i32.eq (local.get $tag) (i32.const 6)) (then (return (local.get $operand))))
  (if (i32.eq (local.get $tag) (i32.const 2))
    (then (return (call $word_text
      (select (i64.const 0x65757274) (i64.const 0x65736c6166) (i32.eq (local.get $operand) (i32.const 544)))))))
  (if (i32.eq (local.get $tag) (i32.const 3))
    (then (return (call $int_text (i64.load offset=8 (local.get $operand))))))
  (if (i32.eq (local.get $tag) (i32.const 4))
    (then (return (call $digits_text (i64.load offset=8 (local.get $operand)) (i64.const 10) (i32.const 0) (i32.const 0)))))
  (if (i32.eq (local.get $tag) (i32.const 5)) (then (return (call $double_to_text (local.get $operand)))))
  (if (i32.eq (local.get $tag) (i32.const 7))
    (then
      (if (i32.eqz (call $is_utf8 (call $address (local.get $operand)) (call $count (local.get $operand))))
        (then (return (i32.const 96))))
      (return (call $new_string (call $address (local.get $operand)) (call $count (local.get $operand))))))
  (if (i32.eq (local.get $tag) (i32.const 10)) (then (return (call $timestamp_text (local.get $operand)))))
  (if (i32.eq (local.get $tag) (i32.const 11)) (then (return (call $duration_text (local.get $operand)))))
  (call $not_a_test (local.get $operand)))

;; A string of at most eight bytes, given as a little-endian number without zero bytes.
(func $word_text (param $word i64) (result i32)
  (local $at i32)
  (local.set $at (call $alloc (i32.const 8)))
  (i64.store (local.get $at) (local.get $word))
  (call $new_string (local.get $at)
    (i32.sub (i32.const 8) (i32.wrap_i64 (i64.shr_u (i64.clz (local.get $word)) (i64.const 3))))))

;; The text of a signed number.
(func $int_text (param $value i64) (result i32)
  (if (i64.lt_s (local.get $value) (i64.const 0))
    (then (return (call $digits_text
      (i64.sub (i64.const 0) (local.get $value)) (i64.const 10) (i32.const 0) (i32.const 45)))))
  (call $digits_text (local.get $value) (i64.const 10) (i32.const 0) (i32.const 0)))

;; The text of an unsigned number in a base from 2 to 16. upper: 32 less for A to F, else 0; sign: a byte before, or 0.
;; The digits are found from the last in scratch, so that the text takes no more of the heap than it needs.
(func $digits_text (param $value i64) (param $base i64) (param $upper i32) (param $sign i32) (result i32)
  (local $end i32) (local $at i32) (local $digit i32) (local $text i32)
  (local.set $end (i32.add (global.get $scratch) (i32.const 80)))
  (local.set $at (local.get $end))
  (loop $next
    (local.set $digit (i32.wrap_i64 (i64.rem_u (local.get $value) (local.get $base))))
    (local.set $value (i64.div_u (local.get $value) (local.get $base)))
    (local.set $at (i32.sub (local.get $at) (i32.const 1)))
    (i32.store8 (local.get $at)
      (i32.add (local.get $digit)
        (select (i32.sub (i32.const 87) (local.get $upper)) (i32.const 48) (i32.gt_u (local.get $digit) (i32.const 9)))))
    (br_if $next (i64.ne (local.get $value) (i64.const 0))))
  (if (local.get $sign)
    (then
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at) (local.get $sign))))
  (local.set $end (i32.sub (local.get $end) (local.get $at)))
  (local.set $text (call $alloc (local.get $end)))
  (memory.copy (local.get $text) (local.get $at) (local.get $end))
  (call $new_string (local.get $text) (local.get $end)))
