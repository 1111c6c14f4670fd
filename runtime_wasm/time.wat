;; Timestamps and durations: arithmetic, and the fields of the calendar and the clock (docs/language.md L1.4, L7.1).

;; A timestamp cell, or overflow outside years 1 to 9999. nanoseconds: of the second, 0 to 999999999.
(func $time_timestamp (param $seconds i64) (param $nanoseconds i32) (result i32)
  ;; From -62135596800, the first second of year 1, to 253402300799, the last one of year 9999.
  (if (i64.ge_u (i64.add (local.get $seconds) (i64.const 62135596800)) (i64.const 315537897600))
    (then (return (i32.const 80))))
  (call $new_timestamp (local.get $seconds) (local.get $nanoseconds)))

;; `left + right` where an operand may be a timestamp or a duration.
(func $time_add (param $left i32) (param $right i32) (result i32)
  (local $a i64) (local $b i64) (local $sum i64)
  (local.set $a (i64.load offset=8 (local.get $left)))
  (local.set $b (i64.load offset=8 (local.get $right)))
  (if (i32.eq (call $tag (local.get $left)) (i32.const 11))
    (then
      (if (i32.eq (call $tag (local.get $right)) (i32.const 10))
        (then (return (call $time_shift (local.get $right) (local.get $a) (i64.const 1)))))
      (if (i32.eq (call $tag (local.get $right)) (i32.const 11))
        (then
          (local.set $sum (i64.add (local.get $a) (local.get $b)))
          (if (i64.lt_s
                (i64.and (i64.xor (local.get $a) (local.get $sum)) (i64.xor (local.get $b) (local.get $sum)))
                (i64.const 0))
            (then (return (i32.const 80))))
          (return (call $new_duration (local.get $sum)))))))
  (if (i32.and
        (i32.eq (call $tag (local.get $left)) (i32.const 10))
        (i32.eq (call $tag (local.get $right)) (i32.const 11)))
    (then (return (call $time_shift (local.get $left) (local.get $b) (i64.const 1)))))
  (call $no_overload (local.get $left) (local.get $right)))

;; `left - right` where an operand may be a timestamp or a duration.
(func $time_subtract (param $left i32) (param $right i32) (result i32)
  (local $a i64) (local $b i64) (local $tag i32) (local $difference i64)
  (local.set $a (i64.load offset=8 (local.get $left)))
  (local.set $b (i64.load offset=8 (local.get $right)))
  (local.set $tag (call $tag (local.get $left)))
  (if (i32.and (i32.eq (local.get $tag) (i32.const 10)) (i32.eq (call $tag (local.get $right)) (i32.const 11)))
    (then (return (call $time_shift (local.get $left) (local.get $b) (i64.const -1)))))
  (if (i32.and
        (i32.eq (local.get $tag) (call $tag (local.get $right)))
        (i32.eq (i32.and (local.get $tag) (i32.const -2)) (i32.const 10)))
    (then
      (local.set $difference (i64.sub (local.get $a) (local.get $b)))
      (if (i32.eq (local.get $tag) (i32.const 11))
        (then
          (if (i64.lt_s
                (i64.and
                  (i64.xor (local.get $a) (local.get $b))
                  (i64.xor (local.get $a) (local.get $difference)))
                (i64.const 0))
            (then (return (i32.const 80))))
          (return (call $new_duration (local.get $difference)))))
      ;; Seconds whose nanoseconds are far from 64 bits.
      (if (i64.gt_u (i64.add (local.get $difference) (i64.const 9223372037)) (i64.const 18446744074))
        (then (return (i32.const 80))))
      ;; The result has the sign of the difference in seconds, unless that is 0 or the product went round.
      (local.set $a
        (i64.add
          (i64.mul (local.get $difference) (i64.const 1000000000))
          (i64.extend_i32_s (i32.sub (call $count (local.get $left)) (call $count (local.get $right))))))
      (if (i32.and
            (i64.ne (local.get $difference) (i64.const 0))
            (i64.lt_s (i64.xor (local.get $difference) (local.get $a)) (i64.const 0)))
        (then (return (i32.const 80))))
      (return (call $new_duration (local.get $a)))))
  (call $no_overload (local.get $left) (local.get $right)))

;; A timestamp cell moved by a duration. sign: 1, or -1 to move it back.
(func $time_shift (param $timestamp i32) (param $duration i64) (param $sign i64) (result i32)
  (local $seconds i64) (local $nanoseconds i64)
  (local.set $nanoseconds
    (i64.add
      (i64.extend_i32_u (call $count (local.get $timestamp)))
      (i64.mul (i64.rem_s (local.get $duration) (i64.const 1000000000)) (local.get $sign))))
  (local.set $seconds
    (i64.add
      (i64.load offset=8 (local.get $timestamp))
      (i64.mul (i64.div_s (local.get $duration) (i64.const 1000000000)) (local.get $sign))))
  (if (i64.lt_s (local.get $nanoseconds) (i64.const 0))
    (then
      (local.set $nanoseconds (i64.add (local.get $nanoseconds) (i64.const 1000000000)))
      (local.set $seconds (i64.sub (local.get $seconds) (i64.const 1)))))
  (if (i64.ge_s (local.get $nanoseconds) (i64.const 1000000000))
    (then
      (local.set $nanoseconds (i64.sub (local.get $nanoseconds) (i64.const 1000000000)))
      (local.set $seconds (i64.add (local.get $seconds) (i64.const 1)))))
  (call $time_timestamp (local.get $seconds) (i32.wrap_i64 (local.get $nanoseconds))))

;; The day of a date, counted from 0000-03-01, so that leap days end years; before it negative. month: from 1.
(func $time_day (param $year i32) (param $month i32) (param $day i32) (result i32)
  (local.set $month (i32.add (local.get $month) (i32.const 9)))
  ;; One cycle of 400 years more keeps the year positive.
  (local.set $year (i32.add (local.get $year) (i32.const 399)))
  (if (i32.ge_u (local.get $month) (i32.const 12))
    (then
      (local.set $month (i32.sub (local.get $month) (i32.const 12)))
      (local.set $year (i32.add (local.get $year) (i32.const 1)))))
  (i32.add
    (i32.add
      (i32.sub (i32.mul (local.get $year) (i32.const 365)) (i32.const 146098))
      (i32.sub
        (i32.add (i32.div_u (local.get $year) (i32.const 4)) (i32.div_u (local.get $year) (i32.const 400)))
        (i32.div_u (local.get $year) (i32.const 100))))
    (i32.add
      (i32.div_u (i32.add (i32.mul (local.get $month) (i32.const 153)) (i32.const 2)) (i32.const 5))
      (local.get $day))))

;; The number of days of a month. month: from 1.
(func $time_days_in (param $year i32) (param $month i32) (result i32)
  (if (i32.eq (local.get $month) (i32.const 2))
    (then (return (i32.add (i32.const 28) (call $time_is_leap (local.get $year))))))
  (i32.add
    (i32.const 30)
    (i32.and
      (i32.xor (local.get $month) (i32.shr_u (local.get $month) (i32.const 3)))
      (i32.const 1))))

;; 1 for a leap year, else 0.
(func $time_is_leap (param $year i32) (result i32)
  (i32.and
    (i32.eqz (i32.and (local.get $year) (i32.const 3)))
    (i32.or
      (i32.ne (i32.rem_u (local.get $year) (i32.const 100)) (i32.const 0))
      (i32.eqz (i32.rem_u (local.get $year) (i32.const 400))))))

;; Seconds from 0000-03-01 instead of the epoch: positive wherever a local time can be.
(func $time_from_march (param $seconds i64) (result i64)
  (i64.add (local.get $seconds) (i64.const 62162035200)))

;; The date of local seconds, each field from 0: year << 18, day of the year << 9, month << 5, day of the month.
(func $time_date (param $seconds i64) (result i32)
  (local $day i32) (local $century4 i32) (local $year i32) (local $month i32) (local $of_year i32)
  (local.set $day
    (i32.wrap_i64 (i64.div_u (call $time_from_march (local.get $seconds)) (i64.const 86400))))
  (local.set $century4 (i32.div_u (local.get $day) (i32.const 146097)))
  (local.set $day (i32.rem_u (local.get $day) (i32.const 146097)))
  ;; The year of the cycle: days without the leap days before them, by 365.
  (local.set $year
    (i32.div_u
      (i32.sub
        (i32.add (local.get $day) (i32.div_u (local.get $day) (i32.const 36524)))
        (i32.add (i32.div_u (local.get $day) (i32.const 1460)) (i32.div_u (local.get $day) (i32.const 146096))))
      (i32.const 365)))
  (local.set $day
    (i32.sub
      (i32.add (local.get $day) (i32.div_u (local.get $year) (i32.const 100)))
      (i32.add (i32.mul (local.get $year) (i32.const 365)) (i32.div_u (local.get $year) (i32.const 4)))))
  (local.set $month (i32.div_u (i32.add (i32.mul (local.get $day) (i32.const 5)) (i32.const 2)) (i32.const 153)))
  (local.set $of_year
    (i32.add (i32.add (local.get $day) (i32.const 59)) (call $time_is_leap (local.get $year))))
  (local.set $day
    (i32.sub
      (local.get $day)
      (i32.div_u (i32.add (i32.mul (local.get $month) (i32.const 153)) (i32.const 2)) (i32.const 5))))
  (local.set $year (i32.add (local.get $year) (i32.mul (local.get $century4) (i32.const 400))))
  (local.set $month (i32.add (local.get $month) (i32.const 2)))
  ;; January and February are the last months of the March year.
  (if (i32.ge_u (local.get $month) (i32.const 12))
    (then
      (local.set $month (i32.sub (local.get $month) (i32.const 12)))
      (local.set $of_year (i32.add (i32.mul (local.get $month) (i32.const 31)) (local.get $day)))
      (local.set $year (i32.add (local.get $year) (i32.const 1)))))
  (i32.or
    (i32.or (i32.shl (local.get $year) (i32.const 18)) (i32.shl (local.get $of_year) (i32.const 9)))
    (i32.or (i32.shl (local.get $month) (i32.const 5)) (local.get $day))))

;; A field of a timestamp's date. shift, mask: where $time_date has it; from: 1 for a field that counts from 1.
(func $time_date_field (param $operand i32) (param $shift i32) (param $mask i32) (param $from i32) (result i32)
  (if (i32.ne (call $tag (local.get $operand)) (i32.const 10))
    (then (return (call $not_a_test (local.get $operand)))))
  (call $new_int
    (i64.extend_i32_u
      (i32.add
        (local.get $from)
        (i32.and
          (i32.shr_u (call $time_date (i64.load offset=8 (local.get $operand))) (local.get $shift))
          (local.get $mask))))))

;; `operand.getFullYear()`.
(func $fn_full_year (param $operand i32) (result i32)
  (call $time_date_field (local.get $operand) (i32.const 18) (i32.const 0x3fff) (i32.const 0)))

;; `operand.getMonth()`.
(func $fn_month (param $operand i32) (result i32)
  (call $time_date_field (local.get $operand) (i32.const 5) (i32.const 15) (i32.const 0)))

;; `operand.getDayOfYear()`.
(func $fn_day_of_year (param $operand i32) (result i32)
  (call $time_date_field (local.get $operand) (i32.const 9) (i32.const 511) (i32.const 0)))

;; `operand.getDayOfMonth()`.
(func $fn_day_of_month (param $operand i32) (result i32)
  (call $time_date_field (local.get $operand) (i32.const 0) (i32.const 31) (i32.const 0)))

;; `operand.getDate()`.
(func $fn_date (param $operand i32) (result i32)
  (call $time_date_field (local.get $operand) (i32.const 0) (i32.const 31) (i32.const 1)))

;; `operand.getDayOfWeek()`.
(func $fn_day_of_week (param $operand i32) (result i32)
  (if (i32.ne (call $tag (local.get $operand)) (i32.const 10))
    (then (return (call $not_a_test (local.get $operand)))))
  ;; 0000-03-01 was a Wednesday.
  (call $new_int
    (i64.rem_u
      (i64.add
        (i64.div_u (call $time_from_march (i64.load offset=8 (local.get $operand))) (i64.const 86400))
        (i64.const 3))
      (i64.const 7))))

;; A field of a timestamp's clock, or all of a duration in a unit. unit: in seconds; modulus: units until the field is
;; 0 again.
(func $time_clock_field (param $operand i32) (param $unit i64) (param $modulus i64) (result i32)
  (if (i32.eq (call $tag (local.get $operand)) (i32.const 10))
    (then
      (return
        (call $new_int
          (i64.rem_u
            (i64.div_u (call $time_from_march (i64.load offset=8 (local.get $operand))) (local.get $unit))
            (local.get $modulus))))))
  (if (i32.ne (call $tag (local.get $operand)) (i32.const 11))
    (then (return (call $not_a_test (local.get $operand)))))
  (call $new_int
    (i64.div_s
      (i64.load offset=8 (local.get $operand))
      (i64.mul (local.get $unit) (i64.const 1000000000)))))

;; `operand.getHours()`.
(func $fn_hours (param $operand i32) (result i32)
  (call $time_clock_field (local.get $operand) (i64.const 3600) (i64.const 24)))

;; `operand.getMinutes()`.
(func $fn_minutes (param $operand i32) (result i32)
  (call $time_clock_field (local.get $operand) (i64.const 60) (i64.const 60)))

;; `operand.getSeconds()`.
(func $fn_seconds (param $operand i32) (result i32)
  (call $time_clock_field (local.get $operand) (i64.const 1) (i64.const 60)))

;; `operand.getMilliseconds()`: of the timestamp's second, or of the duration's last one.
(func $fn_milliseconds (param $operand i32) (result i32)
  (if (i32.eq (call $tag (local.get $operand)) (i32.const 10))
    (then (return (call $new_int
      (i64.extend_i32_u (i32.div_u (call $count (local.get $operand)) (i32.const 1000000)))))))
  (if (i32.ne (call $tag (local.get $operand)) (i32.const 11))
    (then (return (call $not_a_test (local.get $operand)))))
  (call $new_int
    (i64.div_s
      (i64.rem_s (i64.load offset=8 (local.get $operand)) (i64.const 1000000000))
      (i64.const 1000000))))
