;; Doubles as texts of a given precision (docs/language.md L5.7): exact, ties to even.

;; Writes a finite double at an address with room for 412 bytes: with precision digits behind the point, or (scientific
;; not 0) behind the first digit and with an exponent. Result: the address after it. Uses 3 KiB of scratch.
(func $double_write (param $at i32) (param $value f64) (param $precision i32) (param $scientific i32) (result i32)
  (local $found i64) (local $exponent i32)
  (if (i64.lt_s (i64.reinterpret_f64 (local.get $value)) (i64.const 0))
    (then
      (i32.store8 (local.get $at) (i32.const 45))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (local.set $value (f64.neg (local.get $value)))))
  (if (f64.ne (local.get $value) (f64.const 0))
    (then
      (local.set $found
        (call $double_round
          (i64.reinterpret_f64 (local.get $value)) (local.get $precision) (local.get $scientific)))))
  (local.set $exponent (i32.wrap_i64 (i64.shr_s (local.get $found) (i64.const 32))))
  (local.set $precision (i32.add (local.get $precision) (i32.const 1)))
  (if (local.get $scientific)
    (then
      (return
        (call $double_power
          (call $double_positional
            (local.get $at) (call $double_digits) (i32.wrap_i64 (local.get $found))
            (i32.const 0) (local.get $precision))
          (local.get $exponent)))))
  (call $double_positional
    (local.get $at) (call $double_digits) (i32.wrap_i64 (local.get $found))
    (local.get $exponent) (i32.add (local.get $exponent) (local.get $precision))))

;; The digits of a double that is positive and finite, by its bits, rounded: as ASCII at $double_digits. Result: how many,
;; perhaps none, and in the high half the power of ten of the first one.
(func $double_round (param $bits i64) (param $precision i32) (param $scientific i32) (result i64)
  (local $power i32) (local $count i32) (local $digits i32) (local $divisor i32) (local $at i32) (local $digit i32)
  (local.set $digits (call $double_digits))
  (local.set $divisor (i32.add (global.get $scratch) (i32.const 512)))
  (local.set $power (call $double_quotient (local.get $bits)))
  (if (i32.ge_s (call $big_compare (global.get $scratch) (local.get $divisor)) (i32.const 0))
    (then (local.set $power (i32.add (local.get $power) (i32.const 1))))
    (else (call $big_multiply_add (global.get $scratch) (i32.const 10) (i32.const 0))))
  (local.set $count
    (i32.add (local.get $precision) (select (i32.const 1) (local.get $power) (local.get $scientific))))
  ;; The value is below 10^power. All of it may be below half of the last digit's place, or just about that.
  (if (i32.lt_s (local.get $count) (i32.const 0)) (then (return (call $double_found (i32.const 0) (i32.const 0)))))
  (if (i32.eqz (local.get $count))
    (then (call $big_multiply_add (local.get $divisor) (i32.const 10) (i32.const 0))))
  (local.set $at (local.get $digits))
  (block $done
    (loop $next
      (br_if $done (i32.eqz (local.get $count)))
      (local.set $digit (call $double_next_digit))
      (i32.store8 (local.get $at) (i32.add (local.get $digit) (i32.const 48)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $done (i32.eq (i32.sub (local.get $at) (local.get $digits)) (local.get $count)))
      (call $big_multiply_add (global.get $scratch) (i32.const 10) (i32.const 0))
      (br $next)))
  ;; What is left, twice, against a unit of the last digit.
  (call $big_shift_left (global.get $scratch) (i32.const 1))
  (if (i32.gt_s
        (i32.add
          (call $big_compare (global.get $scratch) (local.get $divisor))
          (i32.and (local.get $digit) (i32.const 1)))
        (i32.const 0))
    (then
      (block $carried
        (loop $carry
          (if (i32.eq (local.get $at) (local.get $digits))
            (then
              ;; All nines: a one and zeros, of which fixed digits have one more.
              (local.set $power (i32.add (local.get $power) (i32.const 1)))
              (if (i32.eqz (local.get $scientific))
                (then
                  (i32.store8 (i32.add (local.get $digits) (local.get $count)) (i32.const 48))
                  (local.set $count (i32.add (local.get $count) (i32.const 1)))))
              (i32.store8 (local.get $digits) (i32.const 49))
              (br $carried)))
          (local.set $at (i32.sub (local.get $at) (i32.const 1)))
          (local.set $digit (i32.load8_u (local.get $at)))
          (if (i32.eq (local.get $digit) (i32.const 57))
            (then
              (i32.store8 (local.get $at) (i32.const 48))
              (br $carry)))
          (i32.store8 (local.get $at) (i32.add (local.get $digit) (i32.const 1)))))))
  (call $double_found (local.get $count) (i32.sub (local.get $power) (i32.const 1))))
