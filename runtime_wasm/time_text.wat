;; Timestamps and durations from texts and numbers, and as texts (docs/language.md L4.7 to L4.9).

;; `timestamp(operand)`.
(func $fn_to_timestamp (param $operand i32) (result i32)
  (local $tag i32)
  (local.set $tag (call $tag (local.get $operand)))
  (if (i32.eq (local.get $tag) (i32.const 10)) (then (return (local.get $operand))))
  (if (i32.eq (local.get $tag) (i32.const 6))
    (then (return (call $timestamp_parse (call $address (local.get $operand)) (call $count (local.get $operand))))))
  (if (i32.eq (local.get $tag) (i32.const 3))
    (then (return (call $time_timestamp (i64.load offset=8 (local.get $operand)) (i32.const 0)))))
  (call $not_a_test (local.get $operand)))

;; `duration(operand)`.
(func $fn_to_duration (param $operand i32) (result i32)
  (local $tag i32) (local $seconds i64)
  (local.set $tag (call $tag (local.get $operand)))
  (if (i32.eq (local.get $tag) (i32.const 11)) (then (return (local.get $operand))))
  (if (i32.eq (local.get $tag) (i32.const 6))
    (then
      (if (i32.eqz (call $charge_scan (local.get $operand))) (then (return (global.get $fatal))))
      (return (call $duration_parse (call $address (local.get $operand)) (call $count (local.get $operand))))))
  (if (i32.ne (local.get $tag) (i32.const 3)) (then (return (call $not_a_test (local.get $operand)))))
  (local.set $seconds (i64.load offset=8 (local.get $operand)))
  (if (i64.gt_u (i64.add (local.get $seconds) (i64.const 9223372036)) (i64.const 18446744072))
    (then (return (i32.const 80))))
  (call $new_duration (i64.mul (local.get $seconds) (i64.const 1000000000))))

;; The number of two decimal digits, 100 where they are none.
(func $time_two_digits (param $at i32) (result i32)
  (local $tens i32) (local $ones i32)
  (local.set $tens (i32.sub (i32.load8_u (local.get $at)) (i32.const 48)))
  (local.set $ones (i32.sub (i32.load8_u offset=1 (local.get $at)) (i32.const 48)))
  (if (i32.or (i32.gt_u (local.get $tens) (i32.const 9)) (i32.gt_u (local.get $ones) (i32.const 9)))
    (then (return (i32.const 100))))
  (i32.add (i32.mul (local.get $tens) (i32.const 10)) (local.get $ones)))

;; The seconds east of UTC of an offset HH:MM, or -1. at: five bytes.
(func $time_hours_and_minutes (param $at i32) (result i32)
  (local $hours i32) (local $minutes i32)
  (local.set $hours (call $time_two_digits (local.get $at)))
  (local.set $minutes (call $time_two_digits (i32.add (local.get $at) (i32.const 3))))
  (if (i32.or
        (i32.ne (i32.load8_u offset=2 (local.get $at)) (i32.const 58))
        (i32.or (i32.ge_u (local.get $hours) (i32.const 24)) (i32.ge_u (local.get $minutes) (i32.const 60))))
    (then (return (i32.const -1))))
  (i32.mul (i32.add (i32.mul (local.get $hours) (i32.const 60)) (local.get $minutes)) (i32.const 60)))

;; The timestamp of an RFC 3339 text: its cell, or invalid_argument, or overflow.
(func $timestamp_parse (param $text i32) (param $length i32) (result i32)
  (local $year i32) (local $month i32) (local $day i32) (local $hour i32) (local $minute i32) (local $second i32)
  (local $nanoseconds i32) (local $unit i32) (local $digit i32) (local $end i32) (local $offset i32)
  ;; yyyy-mm-ddThh:mm:ss and at least one byte more
  (if (i32.lt_u (local.get $length) (i32.const 20)) (then (return (i32.const 96))))
  (local.set $end (i32.add (local.get $text) (local.get $length)))
  (local.set $year (call $time_two_digits (local.get $text)))
  (local.set $digit (call $time_two_digits (i32.add (local.get $text) (i32.const 2))))
  (local.set $month (call $time_two_digits (i32.add (local.get $text) (i32.const 5))))
  (local.set $day (call $time_two_digits (i32.add (local.get $text) (i32.const 8))))
  (local.set $hour (call $time_two_digits (i32.add (local.get $text) (i32.const 11))))
  (local.set $minute (call $time_two_digits (i32.add (local.get $text) (i32.const 14))))
  (local.set $second (call $time_two_digits (i32.add (local.get $text) (i32.const 17))))
  (if (i32.or
        (i32.or
          (i32.or (i32.ge_u (local.get $year) (i32.const 100)) (i32.ge_u (local.get $digit) (i32.const 100)))
          (i32.or
            (i32.ne (i32.load8_u offset=4 (local.get $text)) (i32.const 45))
            (i32.ne (i32.load8_u offset=7 (local.get $text)) (i32.const 45))))
        (i32.or
          (i32.ne (i32.load8_u offset=10 (local.get $text)) (i32.const 84))
          (i32.or
            (i32.ne (i32.load8_u offset=13 (local.get $text)) (i32.const 58))
            (i32.ne (i32.load8_u offset=16 (local.get $text)) (i32.const 58)))))
    (then (return (i32.const 96))))
  (local.set $year (i32.add (i32.mul (local.get $year) (i32.const 100)) (local.get $digit)))
  (if (i32.ge_u (i32.sub (local.get $month) (i32.const 1)) (i32.const 12)) (then (return (i32.const 96))))
  (if (i32.or
        (i32.ge_u
          (i32.sub (local.get $day) (i32.const 1))
          (call $time_days_in (local.get $year) (local.get $month)))
        (i32.or
          (i32.ge_u (local.get $hour) (i32.const 24))
          (i32.or (i32.ge_u (local.get $minute) (i32.const 60)) (i32.ge_u (local.get $second) (i32.const 60)))))
    (then (return (i32.const 96))))
  (local.set $text (i32.add (local.get $text) (i32.const 19)))
  (if (i32.eq (i32.load8_u (local.get $text)) (i32.const 46))
    (then
      (local.set $unit (i32.const 1000000000))
      (block $fraction
        (loop $next
          (local.set $text (i32.add (local.get $text) (i32.const 1)))
          (br_if $fraction (i32.ge_u (local.get $text) (local.get $end)))
          (local.set $digit (i32.sub (i32.load8_u (local.get $text)) (i32.const 48)))
          (br_if $fraction (i32.gt_u (local.get $digit) (i32.const 9)))
          ;; The unit is 0 from the tenth digit on, which is one too many.
          (local.set $unit (i32.div_u (local.get $unit) (i32.const 10)))
          (if (i32.eqz (local.get $unit)) (then (return (i32.const 96))))
          (local.set $nanoseconds
            (i32.add (local.get $nanoseconds) (i32.mul (local.get $digit) (local.get $unit))))
          (br $next)))
      (if (i32.eq (local.get $unit) (i32.const 1000000000)) (then (return (i32.const 96))))))
  ;; Z, or a sign and five bytes
  (local.set $length (i32.sub (local.get $end) (local.get $text)))
  (if (i32.eqz (local.get $length)) (then (return (i32.const 96))))
  (local.set $digit (i32.load8_u (local.get $text)))
  (if (i32.eq (local.get $digit) (i32.const 90))
    (then (if (i32.ne (local.get $length) (i32.const 1)) (then (return (i32.const 96)))))
    (else
      ;; 43 is +, 45 is -
      (if (i32.or
            (i32.ne (local.get $length) (i32.const 6))
            (i32.and (i32.sub (local.get $digit) (i32.const 43)) (i32.const -3)))
        (then (return (i32.const 96))))
      (local.set $offset (call $time_hours_and_minutes (i32.add (local.get $text) (i32.const 1))))
      (if (i32.lt_s (local.get $offset) (i32.const 0)) (then (return (i32.const 96))))
      (local.set $offset (i32.mul (local.get $offset) (i32.sub (i32.const 44) (local.get $digit))))))
  (call $time_timestamp
    (i64.sub
      (i64.add
        (i64.mul
          (i64.extend_i32_s (call $time_day (local.get $year) (local.get $month) (local.get $day)))
          (i64.const 86400))
        (i64.extend_i32_s
          (i32.sub
            (i32.add
              (i32.mul (i32.add (i32.mul (local.get $hour) (i32.const 60)) (local.get $minute)) (i32.const 60))
              (local.get $second))
            (local.get $offset))))
      (i64.const 62162035200))
    (local.get $nanoseconds)))

;; The duration of a text: its cell, or invalid_argument, or overflow.
(func $duration_parse (param $text i32) (param $length i32) (result i32)
  (local $end i32) (local $negative i32) (local $large i32) (local $digits i32) (local $point i32) (local $from i32)
  (local $digit i64) (local $number i64) (local $part i64) (local $unit i64) (local $total i64)
  (local.set $end (i32.add (local.get $text) (local.get $length)))
  (if (local.get $length)
    (then
      (local.set $negative (i32.eq (i32.load8_u (local.get $text)) (i32.const 45)))
      (if (i32.or (local.get $negative) (i32.eq (i32.load8_u (local.get $text)) (i32.const 43)))
        (then (local.set $text (i32.add (local.get $text) (i32.const 1)))))))
  (if (i32.ge_u (local.get $text) (local.get $end)) (then (return (i32.const 96))))
  (if (i32.eq (i32.sub (local.get $end) (local.get $text)) (i32.const 1))
    (then (if (i32.eq (i32.load8_u (local.get $text)) (i32.const 48)) (then (return (call $new_duration (i64.const 0)))))))
  (loop $next
    ;; Digits, and a point among them at most once. number: of those before the point, at most 2^60 or so.
    (local.set $number (i64.const 0))
    (local.set $digits (i32.const 0))
    (local.set $point (i32.const 0))
    (block $unit
      (loop $more
        (br_if $unit (i32.ge_u (local.get $text) (local.get $end)))
        (local.set $digit (i64.sub (i64.load8_u (local.get $text)) (i64.const 48)))
        ;; The point is 2 below the digit 0.
        (if (i32.and (i64.eq (local.get $digit) (i64.const -2)) (i32.eqz (local.get $point)))
          (then (local.set $point (local.get $text)))
          (else
            (br_if $unit (i64.gt_u (local.get $digit) (i64.const 9)))
            (local.set $digits (i32.const 1))
            (if (i32.eqz (local.get $point))
              (then
                (if (i64.gt_u (local.get $number) (i64.const 1844674407370955160))
                  (then (local.set $large (i32.const 1)) (local.set $number (i64.const 0))))
                (local.set $number
                  (i64.add (i64.mul (local.get $number) (i64.const 10)) (local.get $digit)))))))
        (local.set $text (i32.add (local.get $text) (i32.const 1)))
        (br $more)))
    (local.set $unit (call $time_unit (local.get $text) (i32.sub (local.get $end) (local.get $text))))
    (if (i32.or (i32.eqz (local.get $digits)) (i64.eqz (local.get $unit))) (then (return (i32.const 96))))
    (local.set $from (local.get $text))
    (local.set $text (i32.add (local.get $text) (i32.and (i32.wrap_i64 (local.get $unit)) (i32.const 3))))
    (local.set $unit (i64.shr_u (local.get $unit) (i64.const 2)))
    ;; The fraction in nanoseconds, rounded down at each digit from the last one on, which is exact.
    (local.set $part (i64.const 0))
    (if (local.get $point)
      (then
        (loop $back
          (local.set $from (i32.sub (local.get $from) (i32.const 1)))
          (if (i32.gt_u (local.get $from) (local.get $point))
            (then
              (local.set $part
                (i64.div_u
                  (i64.add
                    (local.get $part)
                    (i64.mul
                      (i64.sub (i64.load8_u (local.get $from)) (i64.const 48))
                      (local.get $unit)))
                  (i64.const 10)))
              (br $back))))))
    ;; Up to 2^63 altogether, which is a duration where it is negative.
    (if (i64.gt_u (local.get $number) (i64.div_u (i64.const 0x8000000000000000) (local.get $unit)))
      (then (local.set $large (i32.const 1))))
    (local.set $part (i64.add (local.get $part) (i64.mul (local.get $number) (local.get $unit))))
    (if (i64.gt_u (local.get $part) (i64.sub (i64.const 0x8000000000000000) (local.get $total)))
      (then (local.set $large (i32.const 1)))
      (else (local.set $total (i64.add (local.get $total) (local.get $part)))))
    (br_if $next (i32.lt_u (local.get $text) (local.get $end))))
  (if (i32.or
        (local.get $large)
        (i32.and
          (i32.eqz (local.get $negative))
          (i64.eq (local.get $total) (i64.const 0x8000000000000000))))
    (then (return (i32.const 80))))
  (call $new_duration
    (select (i64.sub (i64.const 0) (local.get $total)) (local.get $total) (local.get $negative))))

;; The unit of a duration's number: 4 times its nanoseconds, plus its length in bytes; 0 for no unit.
(func $time_unit (param $at i32) (param $left i32) (result i64)
  (local $first i32) (local $second i32)
  (if (i32.eqz (local.get $left)) (then (return (i64.const 0))))
  (local.set $first (i32.load8_u (local.get $at)))
  (if (i32.gt_u (local.get $left) (i32.const 1)) (then (local.set $second (i32.load8_u offset=1 (local.get $at)))))
  (if (i32.eq (local.get $first) (i32.const 104)) (then (return (i64.const 14400000000001))))
  (if (i32.eq (local.get $first) (i32.const 115)) (then (return (i64.const 4000000001))))
  (if (i32.eq (local.get $second) (i32.const 115))
    (then
      (if (i32.eq (local.get $first) (i32.const 109)) (then (return (i64.const 4000002))))
      (if (i32.eq (local.get $first) (i32.const 117)) (then (return (i64.const 4002))))
      (if (i32.eq (local.get $first) (i32.const 110)) (then (return (i64.const 6))))))
  (if (i32.eq (local.get $first) (i32.const 109)) (then (return (i64.const 240000000001))))
  ;; The micro sign U+00B5 or the letter mu U+03BC, then s
  (local.set $first (i32.or (i32.shl (local.get $first) (i32.const 8)) (local.get $second)))
  (if (i32.or (i32.eq (local.get $first) (i32.const 0xc2b5)) (i32.eq (local.get $first) (i32.const 0xcebc)))
    (then
      (if (i32.gt_u (local.get $left) (i32.const 2))
        (then
          (if (i32.eq (i32.load8_u offset=2 (local.get $at)) (i32.const 115)) (then (return (i64.const 4003))))))))
  (i64.const 0))

;; Writes decimal digits that end before an address, at least so many. Result: the address of the first one.
(func $time_put_digits (param $end i32) (param $value i64) (param $least i32) (result i32)
  (loop $next
    (local.set $end (i32.sub (local.get $end) (i32.const 1)))
    (i32.store8 (local.get $end)
      (i32.add (i32.const 48) (i32.wrap_i64 (i64.rem_u (local.get $value) (i64.const 10)))))
    (local.set $value (i64.div_u (local.get $value) (i64.const 10)))
    (local.set $least (i32.sub (local.get $least) (i32.const 1)))
    (br_if $next
      (i32.or (i64.ne (local.get $value) (i64.const 0)) (i32.gt_s (local.get $least) (i32.const 0)))))
  (local.get $end))

;; Writes a number below 100 as two digits, and a byte after them.
(func $time_put_two (param $at i32) (param $value i32) (param $after i32)
  (i32.store8 (local.get $at) (i32.add (i32.div_u (local.get $value) (i32.const 10)) (i32.const 48)))
  (i32.store8 offset=1 (local.get $at) (i32.add (i32.rem_u (local.get $value) (i32.const 10)) (i32.const 48)))
  (i32.store8 offset=2 (local.get $at) (local.get $after)))

;; The text of a timestamp cell, not charged.
(func $timestamp_text (param $timestamp i32) (result i32)
  (local $at i32) (local $date i32) (local $clock i32) (local $nanoseconds i32) (local $length i32)
  (local.set $at (call $alloc (i32.const 32)))
  (local.set $date (call $time_date (i64.load offset=8 (local.get $timestamp))))
  (local.set $clock
    (i32.wrap_i64
      (i64.rem_u (call $time_from_march (i64.load offset=8 (local.get $timestamp))) (i64.const 86400))))
  (local.set $nanoseconds (call $count (local.get $timestamp)))
  (call $time_put_two (local.get $at)
    (i32.div_u (i32.shr_u (local.get $date) (i32.const 18)) (i32.const 100)) (i32.const 0))
  (call $time_put_two (i32.add (local.get $at) (i32.const 2))
    (i32.rem_u (i32.shr_u (local.get $date) (i32.const 18)) (i32.const 100)) (i32.const 45))
  (call $time_put_two (i32.add (local.get $at) (i32.const 5))
    (i32.add (i32.and (i32.shr_u (local.get $date) (i32.const 5)) (i32.const 15)) (i32.const 1)) (i32.const 45))
  (call $time_put_two (i32.add (local.get $at) (i32.const 8))
    (i32.add (i32.and (local.get $date) (i32.const 31)) (i32.const 1)) (i32.const 84))
  (call $time_put_two (i32.add (local.get $at) (i32.const 11))
    (i32.div_u (local.get $clock) (i32.const 3600)) (i32.const 58))
  (call $time_put_two (i32.add (local.get $at) (i32.const 14))
    (i32.rem_u (i32.div_u (local.get $clock) (i32.const 60)) (i32.const 60)) (i32.const 58))
  (call $time_put_two (i32.add (local.get $at) (i32.const 17))
    (i32.rem_u (local.get $clock) (i32.const 60)) (i32.const 46))
  (local.set $length (i32.const 19))
  (if (local.get $nanoseconds)
    (then
      (drop (call $time_put_digits (i32.add (local.get $at) (i32.const 29))
        (i64.extend_i32_u (local.get $nanoseconds)) (i32.const 9)))
      (local.set $length (i32.const 29))
      ;; Three, six or nine digits.
      (loop $next
        (if (i32.eqz (i32.rem_u (local.get $nanoseconds) (i32.const 1000)))
          (then
            (local.set $nanoseconds (i32.div_u (local.get $nanoseconds) (i32.const 1000)))
            (local.set $length (i32.sub (local.get $length) (i32.const 3)))
            (br $next))))))
  (i32.store8 (i32.add (local.get $at) (local.get $length)) (i32.const 90))
  (call $new_string (local.get $at) (i32.add (local.get $length) (i32.const 1))))

;; The text of a duration cell, not charged.
(func $duration_text (param $duration i32) (result i32)
  (local $at i32) (local $end i32) (local $value i64) (local $fraction i64) (local $digits i32)
  (local.set $end (i32.add (call $alloc (i32.const 32)) (i32.const 32)))
  (local.set $value (i64.load offset=8 (local.get $duration)))
  (if (i64.lt_s (local.get $value) (i64.const 0))
    (then (local.set $value (i64.sub (i64.const 0) (local.get $value)))))
  (local.set $at (i32.sub (local.get $end) (i32.const 1)))
  (i32.store8 (local.get $at) (i32.const 115))
  (local.set $fraction (i64.rem_u (local.get $value) (i64.const 1000000000)))
  (if (i64.ne (local.get $fraction) (i64.const 0))
    (then
      (local.set $digits (i32.const 9))
      (loop $next
        (if (i64.eqz (i64.rem_u (local.get $fraction) (i64.const 10)))
          (then
            (local.set $fraction (i64.div_u (local.get $fraction) (i64.const 10)))
            (local.set $digits (i32.sub (local.get $digits) (i32.const 1)))
            (br $next))))
      (local.set $at
        (i32.sub
          (call $time_put_digits (local.get $at) (local.get $fraction) (local.get $digits))
          (i32.const 1)))
      (i32.store8 (local.get $at) (i32.const 46))))
  (local.set $at
    (call $time_put_digits (local.get $at) (i64.div_u (local.get $value) (i64.const 1000000000)) (i32.const 1)))
  (if (i64.lt_s (i64.load offset=8 (local.get $duration)) (i64.const 0))
    (then
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at) (i32.const 45))))
  (call $new_string (local.get $at) (i32.sub (local.get $end) (local.get $at))))
