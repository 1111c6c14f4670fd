;; Doubles from texts (docs/language.md L4.3): the double nearest to any decimal number, ties to even.

;; The double of a text: its cell, or invalid_argument. Uses 1 KiB of scratch.
(func $double_parse (param $text i32) (param $length i32) (result i32)
  (local $end i32) (local $byte i32) (local $negative i32) (local $digits i32) (local $point i32) (local $kept i32)
  (local $lost i32) (local $exponent i32) (local $chunk i32) (local $scale i32) (local $power i32) (local $value f64)
  (local.set $end (i32.add (local.get $text) (local.get $length)))
  (if (local.get $length)
    (then
      (local.set $negative (i32.eq (i32.load8_u (local.get $text)) (i32.const 45)))
      (if (i32.or (local.get $negative) (i32.eq (i32.load8_u (local.get $text)) (i32.const 43)))
        (then (local.set $text (i32.add (local.get $text) (i32.const 1)))))))
  ;; The digits as a number in scratch, nine at a time: 800 significant ones, and a 1 for the others if any is not 0.
  ;; Halfway between two doubles has no more than 768.
  (call $big_set (global.get $scratch) (i64.const 0))
  (local.set $scale (i32.const 1))
  (block $spent
    (loop $next
      (br_if $spent (i32.ge_u (local.get $text) (local.get $end)))
      (local.set $byte (i32.sub (i32.load8_u (local.get $text)) (i32.const 48)))
      ;; The point is 2 below the digit 0.
      (if (i32.and (i32.eq (local.get $byte) (i32.const -2)) (i32.eqz (local.get $point)))
        (then (local.set $point (i32.const 1)))
        (else
          (br_if $spent (i32.gt_u (local.get $byte) (i32.const 9)))
          (local.set $digits (i32.const 1))
          (local.set $exponent (i32.sub (local.get $exponent) (local.get $point)))
          (if (i32.lt_u (local.get $kept) (i32.const 800))
            (then
              (if (i32.or (local.get $byte) (local.get $kept))
                (then (local.set $kept (i32.add (local.get $kept) (i32.const 1)))))
              (local.set $chunk (i32.add (i32.mul (local.get $chunk) (i32.const 10)) (local.get $byte)))
              (local.set $scale (i32.mul (local.get $scale) (i32.const 10)))
              (if (i32.eq (local.get $scale) (i32.const 1000000000))
                (then
                  (call $big_multiply_add (global.get $scratch) (local.get $scale) (local.get $chunk))
                  (local.set $chunk (i32.const 0))
                  (local.set $scale (i32.const 1)))))
            (else
              (local.set $lost (i32.or (local.get $lost) (local.get $byte)))
              (local.set $exponent (i32.add (local.get $exponent) (i32.const 1)))))))
      (local.set $text (i32.add (local.get $text) (i32.const 1)))
      (br $next)))
  (if (i32.eqz (i32.or (local.get $digits) (local.get $point)))
    (then
      (local.set $value (call $double_named (local.get $text) (i32.sub (local.get $end) (local.get $text))))
      (if (f64.eq (local.get $value) (f64.const 0)) (then (return (i32.const 96))))
      (return
        (call $new_double
          (select (f64.neg (local.get $value)) (local.get $value) (local.get $negative))))))
  (if (i32.lt_u (local.get $text) (local.get $end))
    (then
      (local.set $power (call $double_exponent (local.get $text) (local.get $end)))
      (if (i32.eq (local.get $power) (i32.const 0x7fffffff)) (then (return (i32.const 96))))))
  (if (i32.eqz (local.get $digits)) (then (return (i32.const 96))))
  (call $big_multiply_add (global.get $scratch) (local.get $scale) (local.get $chunk))
  (if (local.get $lost)
    (then
      (call $big_multiply_add (global.get $scratch) (i32.const 10) (i32.const 1))
      (local.set $kept (i32.add (local.get $kept) (i32.const 1)))
      (local.set $exponent (i32.sub (local.get $exponent) (i32.const 1)))))
  (local.set $value (call $double_nearest (i32.add (local.get $exponent) (local.get $power)) (local.get $kept)))
  (call $new_double (select (f64.neg (local.get $value)) (local.get $value) (local.get $negative))))

;; The number of an exponent: e or E, an optional sign, digits up to the end; 0x7fffffff where it is malformed. Beyond
;; 10^8 it stays there, where no number of digits in memory reaches.
(func $double_exponent (param $text i32) (param $end i32) (result i32)
  (local $first i32) (local $byte i32) (local $value i32)
  (if (i32.ne (i32.or (i32.load8_u (local.get $text)) (i32.const 0x20)) (i32.const 101))
    (then (return (i32.const 0x7fffffff))))
  (local.set $text (i32.add (local.get $text) (i32.const 1)))
  (if (i32.lt_u (local.get $text) (local.get $end)) (then (local.set $first (i32.load8_u (local.get $text)))))
  (if (i32.or (i32.eq (local.get $first) (i32.const 43)) (i32.eq (local.get $first) (i32.const 45)))
    (then (local.set $text (i32.add (local.get $text) (i32.const 1)))))
  (if (i32.ge_u (local.get $text) (local.get $end)) (then (return (i32.const 0x7fffffff))))
  (loop $next
    (local.set $byte (i32.sub (i32.load8_u (local.get $text)) (i32.const 48)))
    (if (i32.gt_u (local.get $byte) (i32.const 9)) (then (return (i32.const 0x7fffffff))))
    (if (i32.lt_u (local.get $value) (i32.const 100000000))
      (then (local.set $value (i32.add (i32.mul (local.get $value) (i32.const 10)) (local.get $byte)))))
    (local.set $text (i32.add (local.get $text) (i32.const 1)))
    (br_if $next (i32.lt_u (local.get $text) (local.get $end))))
  (select (i32.sub (i32.const 0) (local.get $value)) (local.get $value) (i32.eq (local.get $first) (i32.const 45))))

;; What `inf`, `infinity` and `nan` in any case name; 0 for another text.
(func $double_named (param $text i32) (param $length i32) (result f64)
  (local $word i32)
  (if (i32.eq (local.get $length) (i32.const 3))
    (then
      (local.set $word
        (i32.or
          (i32.const 0x202020)
          (i32.or
            (i32.load16_u align=1 (local.get $text))
            (i32.shl (i32.load8_u offset=2 (local.get $text)) (i32.const 16)))))
      (if (i32.eq (local.get $word) (i32.const 0x666e69)) (then (return (f64.const inf))))
      (if (i32.eq (local.get $word) (i32.const 0x6e616e)) (then (return (f64.const nan))))))
  (if (i32.eq (local.get $length) (i32.const 8))
    (then
      (if (i64.eq
            (i64.or (i64.load align=1 (local.get $text)) (i64.const 0x2020202020202020))
            (i64.const 0x7974696e69666e69))
        (then (return (f64.const inf))))))
  (f64.const 0))

;; A power of ten from 0 to 22: all of them are doubles.
(func $double_power_of_ten (param $power i32) (result f64)
  (local $value f64)
  (local.set $value (f64.const 1))
  (block $done
    (loop $next
      (br_if $done (i32.eqz (local.get $power)))
      (local.set $value (f64.mul (local.get $value) (f64.const 10)))
      (local.set $power (i32.sub (local.get $power) (i32.const 1)))
      (br $next)))
  (local.get $value))

;; The double nearest to the number in scratch, of so many digits, times 10 to the exponent.
(func $double_nearest (param $exponent i32) (param $digits i32) (result f64)
  (local $small i64) (local $divisor i32) (local $shift i32) (local $left i32) (local $bits i64) (local $order i32)
  (if (i32.eqz (i32.load (global.get $scratch))) (then (return (f64.const 0))))
  ;; Exact operands have the nearest quotient or product.
  (if (i32.le_u (i32.load (global.get $scratch)) (i32.const 2))
    (then
      (local.set $small (i64.load offset=4 align=4 (global.get $scratch)))
      (if (i64.le_u (local.get $small) (i64.const 0x20000000000000))
        (then
          (if (i32.le_u (local.get $exponent) (i32.const 22))
            (then
              (return
                (f64.mul
                  (f64.convert_i64_u (local.get $small))
                  (call $double_power_of_ten (local.get $exponent))))))
          (if (i32.le_u (i32.sub (i32.const 0) (local.get $exponent)) (i32.const 22))
            (then
              (return
                (f64.div
                  (f64.convert_i64_u (local.get $small))
                  (call $double_power_of_ten (i32.sub (i32.const 0) (local.get $exponent)))))))))))
  ;; Not below 10^310, or below 10^-324: too large, or closer to 0 than to the smallest double.
  (local.set $digits (i32.add (local.get $digits) (local.get $exponent)))
  (if (i32.gt_s (local.get $digits) (i32.const 310)) (then (return (f64.const inf))))
  (if (i32.lt_s (local.get $digits) (i32.const -324)) (then (return (f64.const 0))))
  ;; The number as a quotient of numbers without factors of two, times 2 to the exponent.
  (local.set $divisor (i32.add (global.get $scratch) (i32.const 512)))
  (call $big_set (local.get $divisor) (i64.const 1))
  (call $big_times_power_of_five
    (select (local.get $divisor) (global.get $scratch) (i32.lt_s (local.get $exponent) (i32.const 0)))
    (select (i32.sub (i32.const 0) (local.get $exponent)) (local.get $exponent) (i32.lt_s (local.get $exponent) (i32.const 0))))
  ;; The quotient from 1 to below 2, and the exponent of a double.
  (local.set $shift (i32.sub (call $big_bits (global.get $scratch)) (call $big_bits (local.get $divisor))))
  (call $big_shift_left
    (select (global.get $scratch) (local.get $divisor) (i32.lt_s (local.get $shift) (i32.const 0)))
    (select (i32.sub (i32.const 0) (local.get $shift)) (local.get $shift) (i32.lt_s (local.get $shift) (i32.const 0))))
  (if (i32.lt_s (call $big_compare (global.get $scratch) (local.get $divisor)) (i32.const 0))
    (then
      (call $big_shift_left (global.get $scratch) (i32.const 1))
      (local.set $shift (i32.sub (local.get $shift) (i32.const 1)))))
  (local.set $exponent (i32.add (local.get $exponent) (local.get $shift)))
  (if (i32.gt_s (local.get $exponent) (i32.const 1023)) (then (return (f64.const inf))))
  ;; 53 bits, fewer below 2^-1022.
  (local.set $left (i32.const 53))
  (if (i32.lt_s (local.get $exponent) (i32.const -1022))
    (then
      (local.set $left (i32.add (local.get $exponent) (i32.const 1075)))
      (local.set $exponent (i32.const -1023))
      (if (i32.lt_s (local.get $left) (i32.const 0)) (then (return (f64.const 0))))))
  (block $done
    (loop $next
      (local.set $order (call $big_compare (global.get $scratch) (local.get $divisor)))
      (br_if $done (i32.eqz (local.get $left)))
      (local.set $bits (i64.shl (local.get $bits) (i64.const 1)))
      (if (i32.ge_s (local.get $order) (i32.const 0))
        (then
          (call $big_add (global.get $scratch) (local.get $divisor) (i64.const -1))
          (local.set $bits (i64.or (local.get $bits) (i64.const 1)))))
      (call $big_shift_left (global.get $scratch) (i32.const 1))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br $next)))
  ;; The rest is compared with half of the last bit. The carry of a round-up goes into the exponent, as it should.
  (local.set $bits
    (i64.add
      (local.get $bits)
      (i64.extend_i32_u
        (i32.or
          (i32.gt_s (local.get $order) (i32.const 0))
          (i32.and (i32.eqz (local.get $order)) (i32.wrap_i64 (local.get $bits)))))))
  ;; The first of 53 bits counts as 1 in the exponent.
  (f64.reinterpret_i64
    (i64.add
      (local.get $bits)
      (i64.shl
        (i64.extend_i32_s
          (select
            (i32.const 0)
            (i32.add (local.get $exponent) (i32.const 1022))
            (i32.lt_s (local.get $exponent) (i32.const -1022))))
        (i64.const 52)))))
