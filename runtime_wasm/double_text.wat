;; Doubles as texts (docs/language.md L4.5): the shortest decimal that reads back, the nearest one of these.

;; The text of a double's cell, not charged. Uses 3 KiB of scratch.
(func $double_to_text (param $cell i32) (result i32)
  (local $value f64) (local $at i32) (local $start i32) (local $found i64) (local $digits i32) (local $count i32)
  (local $exponent i32)
  (local.set $value (f64.load offset=8 (local.get $cell)))
  (local.set $at (call $alloc (i32.const 32)))
  (local.set $start (local.get $at))
  (if (f64.ne (local.get $value) (local.get $value))
    (then
      (i32.store (local.get $at) (i32.const 0x4e614e))
      (return (call $new_string (local.get $at) (i32.const 3)))))
  (if (f64.eq (f64.abs (local.get $value)) (f64.const inf))
    (then
      ;; The sign, and Inf
      (i32.store (local.get $at)
        (select (i32.const 0x666e492b) (i32.const 0x666e492d) (f64.gt (local.get $value) (f64.const 0))))
      (return (call $new_string (local.get $at) (i32.const 4)))))
  (if (i64.lt_s (i64.load offset=8 (local.get $cell)) (i64.const 0))
    (then
      (i32.store8 (local.get $at) (i32.const 45))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))))
  (local.set $found (call $double_shortest (f64.abs (local.get $value))))
  (local.set $digits (call $double_digits))
  (local.set $count (i32.wrap_i64 (local.get $found)))
  (local.set $exponent (i32.wrap_i64 (i64.shr_s (local.get $found) (i64.const 32))))
  (if (i32.lt_u (i32.add (local.get $exponent) (i32.const 4)) (i32.const 25))
    (then (local.set $at
      (call $double_positional
        (local.get $at) (local.get $digits) (local.get $count) (local.get $exponent) (local.get $count))))
    (else
      (local.set $at
        (call $double_positional
          (local.get $at) (local.get $digits) (local.get $count) (i32.const 0) (local.get $count)))
      (local.set $at (call $double_power (local.get $at) (local.get $exponent)))))
  (call $new_string (local.get $start) (i32.sub (local.get $at) (local.get $start))))

;; Where $double_shortest and $double_round leave their digits.
(func $double_digits (result i32)
  (i32.add (global.get $scratch) (i32.const 2048)))

;; Writes count digits, the first one of 10^exponent, with a point after the one of 10^0 and zeros where there is none.
;; The digits behind the point end before the one of number stop. Result: the address after them.
(func $double_positional
  (param $at i32) (param $digits i32) (param $count i32) (param $exponent i32) (param $stop i32) (result i32)
  (local $i i32)
  ;; i: the digit of 10^(exponent - i); from 10^0 on where the number is below 1.
  (local.set $i (local.get $exponent))
  (if (i32.gt_s (local.get $i) (i32.const 0)) (then (local.set $i (i32.const 0))))
  (loop $next
    (i32.store8 (local.get $at) (i32.const 48))
    (if (i32.lt_u (local.get $i) (local.get $count))
      (then (i32.store8 (local.get $at) (i32.load8_u (i32.add (local.get $digits) (local.get $i))))))
    (local.set $at (i32.add (local.get $at) (i32.const 1)))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $next (i32.le_s (local.get $i) (local.get $exponent)))
    (if (i32.ge_s (local.get $i) (local.get $stop)) (then (return (local.get $at))))
    (if (i32.eq (local.get $i) (i32.add (local.get $exponent) (i32.const 1)))
      (then
        (i32.store8 (local.get $at) (i32.const 46))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))))
    (br $next))
  (unreachable))

;; Writes an exponent: e, a sign, at least two digits. Result: the address after it.
(func $double_power (param $at i32) (param $exponent i32) (result i32)
  (i32.store16 align=1 (local.get $at)
    (select (i32.const 0x2d65) (i32.const 0x2b65) (i32.lt_s (local.get $exponent) (i32.const 0))))
  (local.set $at (i32.add (local.get $at) (i32.const 2)))
  (if (i32.lt_s (local.get $exponent) (i32.const 0))
    (then (local.set $exponent (i32.sub (i32.const 0) (local.get $exponent)))))
  (if (i32.ge_u (local.get $exponent) (i32.const 100))
    (then
      (i32.store8 (local.get $at) (i32.add (i32.const 48) (i32.div_u (local.get $exponent) (i32.const 100))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (local.set $exponent (i32.rem_u (local.get $exponent) (i32.const 100)))))
  (i32.store8 (local.get $at) (i32.add (i32.const 48) (i32.div_u (local.get $exponent) (i32.const 10))))
  (i32.store8 offset=1 (local.get $at) (i32.add (i32.const 48) (i32.rem_u (local.get $exponent) (i32.const 10))))
  (i32.add (local.get $at) (i32.const 2)))

;; The shortest digits of a finite double that is not negative, as ASCII at $double_digits. Result: how many, and in the
;; high half the power of ten of the first one.
(func $double_shortest (param $value f64) (result i64)
  (local $power f64) (local $scaled f64) (local $places i32) (local $whole i64) (local $at i32) (local $count i32)
  ;; A decimal of at most 15 digits that reads as this double is the only one. It is the value times a power of ten
  ;; up to 10^22, rounded, if dividing by that power, which rounds as reading does, gives the value again.
  (local.set $power (f64.const 1))
  (block $hard
    (loop $next
      (local.set $scaled (f64.nearest (f64.mul (local.get $value) (local.get $power))))
      (br_if $hard
        (i32.or
          (f64.ge (local.get $scaled) (f64.const 1e15))
          (i32.gt_u (local.get $places) (i32.const 22))))
      (if (f64.ne (f64.div (local.get $scaled) (local.get $power)) (local.get $value))
        (then
          (local.set $power (f64.mul (local.get $power) (f64.const 10)))
          (local.set $places (i32.add (local.get $places) (i32.const 1)))
          (br $next))))
    (local.set $whole (i64.trunc_sat_f64_u (local.get $scaled)))
    (local.set $at (i32.add (call $double_digits) (i32.const 16)))
    (local.set $places (i32.sub (i32.const -1) (local.get $places)))
    (loop $next
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at)
        (i32.add (i32.const 48) (i32.wrap_i64 (i64.rem_u (local.get $whole) (i64.const 10)))))
      (local.set $whole (i64.div_u (local.get $whole) (i64.const 10)))
      (local.set $places (i32.add (local.get $places) (i32.const 1)))
      (br_if $next (i64.ne (local.get $whole) (i64.const 0))))
    (local.set $count (i32.sub (i32.add (call $double_digits) (i32.const 16)) (local.get $at)))
    (memory.copy (call $double_digits) (local.get $at) (local.get $count))
    ;; A whole number may end in zeros.
    (loop $next
      (if (i32.gt_u (local.get $count) (i32.const 1))
        (then
          (if (i32.eq
                (i32.load8_u (i32.add (call $double_digits) (i32.sub (local.get $count) (i32.const 1))))
                (i32.const 48))
            (then
              (local.set $count (i32.sub (local.get $count) (i32.const 1)))
              (br $next))))))
    (return (call $double_found (local.get $count) (local.get $places))))
  (call $double_shortest_exactly (i64.reinterpret_f64 (local.get $value))))

;; A number of digits, and a power of ten in the high half.
(func $double_found (param $count i32) (param $exponent i32) (result i64)
  (i64.or
    (i64.extend_i32_u (local.get $count))
    (i64.shl (i64.extend_i32_s (local.get $exponent)) (i64.const 32))))

;; A double that is positive and finite, by its bits, as a quotient of numbers in scratch: the dividend at +0 and the
;; divisor at +512, both four times as large, and a quarter of a unit in the last place at +1024. The quotient is from
;; 0.1 to below 2 after division by ten to the power that is the result.
(func $double_quotient (param $bits i64) (result i32)
  (local $exponent i32) (local $mantissa i64) (local $divisor i32) (local $unit i32) (local $power i32)
  (local.set $divisor (i32.add (global.get $scratch) (i32.const 512)))
  (local.set $unit (i32.add (global.get $scratch) (i32.const 1024)))
  (local.set $exponent (i32.wrap_i64 (i64.shr_u (local.get $bits) (i64.const 52))))
  (local.set $mantissa (i64.and (local.get $bits) (i64.const 0xfffffffffffff)))
  (if (local.get $exponent)
    (then (local.set $mantissa (i64.or (local.get $mantissa) (i64.const 0x10000000000000))))
    (else (local.set $exponent (i32.const 1))))
  (local.set $exponent (i32.sub (local.get $exponent) (i32.const 1075)))
  (call $big_set (global.get $scratch) (i64.shl (local.get $mantissa) (i64.const 2)))
  (call $big_set (local.get $divisor) (i64.const 4))
  (call $big_set (local.get $unit) (i64.const 1))
  ;; The value is at least 2^(exponent + 63 - clz) and below twice that; 78913 / 2^18 is log10 2, a little less.
  (local.set $power
    (i32.add
      (i32.shr_s
        (i32.mul
          (i32.sub
            (i32.add (local.get $exponent) (i32.const 63))
            (i32.wrap_i64 (i64.clz (local.get $mantissa))))
          (i32.const 78913))
        (i32.const 18))
      (i32.const 1)))
  (if (i32.gt_s (local.get $power) (i32.const 0))
    (then (call $big_times_power_of_five (local.get $divisor) (local.get $power)))
    (else
      (call $big_times_power_of_five (global.get $scratch) (i32.sub (i32.const 0) (local.get $power)))
      (call $big_times_power_of_five (local.get $unit) (i32.sub (i32.const 0) (local.get $power)))))
  ;; Powers of two: 2^exponent in the dividend, 2^power in the divisor.
  (local.set $exponent (i32.sub (local.get $exponent) (local.get $power)))
  (if (i32.gt_s (local.get $exponent) (i32.const 0))
    (then
      (call $big_shift_left (global.get $scratch) (local.get $exponent))
      (call $big_shift_left (local.get $unit) (local.get $exponent)))
    (else (call $big_shift_left (local.get $divisor) (i32.sub (i32.const 0) (local.get $exponent)))))
  (local.get $power))

;; The next digit of the quotient in scratch, which is below 10 and then below 1: its divisor is taken away as often.
(func $double_next_digit (result i32)
  (local $digit i32)
  (block $done
    (loop $next
      (br_if $done
        (i32.lt_s
          (call $big_compare (global.get $scratch) (i32.add (global.get $scratch) (i32.const 512)))
          (i32.const 0)))
      (call $big_add (global.get $scratch) (i32.add (global.get $scratch) (i32.const 512)) (i64.const -1))
      (local.set $digit (i32.add (local.get $digit) (i32.const 1)))
      (br $next)))
  (local.get $digit))

;; As $double_shortest, of a double that is not 0, by its bits: digit by digit until what is left is closer to 0 or to
;; the next digit than the neighbours of the double are (Steele and White, 1990).
(func $double_shortest_exactly (param $bits i64) (result i64)
  (local $divisor i32) (local $below i32) (local $sum i32) (local $digits i32) (local $count i32) (local $power i32)
  (local $digit i32) (local $even i32) (local $edge i32) (local $low i32) (local $high i32)
  (local.set $divisor (i32.add (global.get $scratch) (i32.const 512)))
  (local.set $below (i32.add (global.get $scratch) (i32.const 1024)))
  (local.set $sum (i32.add (global.get $scratch) (i32.const 1536)))
  (local.set $digits (call $double_digits))
  (local.set $power (call $double_quotient (local.get $bits)))
  ;; Ties are read as the even double.
  (local.set $even (i32.and (i32.wrap_i64 (i64.xor (local.get $bits) (i64.const -1))) (i32.const 1)))
  ;; Halfway to the neighbours is two quarters of a unit away; but one to the lower neighbour of a power of two.
  (local.set $edge
    (i32.and
      (i64.eqz (i64.and (local.get $bits) (i64.const 0xfffffffffffff)))
      (i64.gt_u (local.get $bits) (i64.const 0x1fffffffffffff))))
  (if (i32.eqz (local.get $edge)) (then (call $big_shift_left (local.get $below) (i32.const 1))))
  (if (i32.ge_s
        (i32.add (call $double_high (local.get $edge)) (local.get $even))
        (i32.const 1))
    (then (local.set $power (i32.add (local.get $power) (i32.const 1))))
    (else
      (call $big_multiply_add (global.get $scratch) (i32.const 10) (i32.const 0))
      (call $big_multiply_add (local.get $below) (i32.const 10) (i32.const 0))))
  (loop $next
    (local.set $digit (call $double_next_digit))
    (local.set $low
      (i32.lt_s (call $big_compare (global.get $scratch) (local.get $below)) (local.get $even)))
    (local.set $high
      (i32.ge_s (i32.add (call $double_high (local.get $edge)) (local.get $even)) (i32.const 1)))
    (if (i32.and (local.get $low) (local.get $high))
      (then
        ;; Both would read back: the nearer digit, the even one of two that are as near.
        (call $big_copy (local.get $sum) (global.get $scratch))
        (call $big_shift_left (local.get $sum) (i32.const 1))
        (local.set $high
          (i32.gt_s
            (i32.add
              (call $big_compare (local.get $sum) (local.get $divisor))
              (i32.and (local.get $digit) (i32.const 1)))
            (i32.const 0)))))
    (i32.store8
      (i32.add (local.get $digits) (local.get $count))
      (i32.add (i32.add (local.get $digit) (local.get $high)) (i32.const 48)))
    (local.set $count (i32.add (local.get $count) (i32.const 1)))
    (if (i32.or (local.get $low) (local.get $high))
      (then
        (return (call $double_found (local.get $count) (i32.sub (local.get $power) (i32.const 1))))))
    (call $big_multiply_add (global.get $scratch) (i32.const 10) (i32.const 0))
    (call $big_multiply_add (local.get $below) (i32.const 10) (i32.const 0))
    (br $next))
  (unreachable))

;; Compares what is left, plus the distance to halfway to the upper neighbour, with the divisor: -1, 0 or 1. edge: 1
;; where that distance is twice the one below.
(func $double_high (param $edge i32) (result i32)
  (local $sum i32) (local $below i32)
  (local.set $below (i32.add (global.get $scratch) (i32.const 1024)))
  (local.set $sum (i32.add (global.get $scratch) (i32.const 1536)))
  (call $big_copy (local.get $sum) (global.get $scratch))
  (call $big_add (local.get $sum) (local.get $below) (i64.const 1))
  (if (local.get $edge) (then (call $big_add (local.get $sum) (local.get $below) (i64.const 1))))
  (call $big_compare (local.get $sum) (i32.add (global.get $scratch) (i32.const 512))))
