;; Local time (docs/language.md L7.2). A zone that is a constant of the policy is a table of the compiler's
;; (hexgate/compiler/time_zone.py has its layout); a computed one is an offset.

;; A timestamp moved by an offset in seconds, for a getter to read at once: its cell is in scratch.
(func $time_moved (param $timestamp i32) (param $offset i32) (result i32)
  (i32.store (global.get $scratch) (i32.const 10))
  (i32.store offset=4 (global.get $scratch) (call $count (local.get $timestamp)))
  (i64.store offset=8 (global.get $scratch)
    (i64.add (i64.load offset=8 (local.get $timestamp)) (i64.extend_i32_s (local.get $offset))))
  (global.get $scratch))

;; A timestamp in the zone of a table, moved; or a fault.
(func $time_at (param $timestamp i32) (param $table i32) (result i32)
  (if (i32.ne (call $tag (local.get $timestamp)) (i32.const 10))
    (then (return (call $not_a_test (local.get $timestamp)))))
  (call $time_moved
    (local.get $timestamp)
    (call $zone_offset (local.get $table) (i64.load offset=8 (local.get $timestamp)))))

;; A timestamp in a computed zone, moved; or a fault. zone: an offset [+-]HH:MM, UTC, or empty.
(func $time_in (param $timestamp i32) (param $zone i32) (result i32)
  (local $refused i32) (local $text i32) (local $length i32) (local $first i32) (local $offset i32)
  (local.set $refused
    (call $text_expect (local.get $timestamp) (i32.const 10)
      (call $text_expect (local.get $zone) (i32.const 6) (i32.const 0))))
  (if (local.get $refused) (then (return (local.get $refused))))
  (local.set $text (call $address (local.get $zone)))
  (local.set $length (call $count (local.get $zone)))
  (if (i32.eqz (local.get $length)) (then (return (local.get $timestamp))))
  (local.set $first (i32.load8_u (local.get $text)))
  (if (i32.eq (local.get $length) (i32.const 3))
    (then
      (if (i32.eq
            (i32.or (local.get $first) (i32.shl (i32.load16_u offset=1 align=1 (local.get $text)) (i32.const 8)))
            (i32.const 0x435455))
        (then (return (local.get $timestamp))))))
  (if (i32.or (i32.eq (local.get $first) (i32.const 43)) (i32.eq (local.get $first) (i32.const 45)))
    (then
      (local.set $text (i32.add (local.get $text) (i32.const 1)))
      (local.set $length (i32.sub (local.get $length) (i32.const 1)))))
  (if (i32.ne (local.get $length) (i32.const 5)) (then (return (i32.const 96))))
  (local.set $offset (call $time_hours_and_minutes (local.get $text)))
  (if (i32.lt_s (local.get $offset) (i32.const 0)) (then (return (i32.const 96))))
  (if (i32.eq (local.get $first) (i32.const 45))
    (then (local.set $offset (i32.sub (i32.const 0) (local.get $offset)))))
  (call $time_moved (local.get $timestamp) (local.get $offset)))

;; The seconds east of UTC in the zone of a table at an instant.
(func $zone_offset (param $table i32) (param $seconds i64) (result i32)
  (local $low i32) (local $high i32) (local $middle i32) (local $first i32) (local $last i32)
  (local.set $first (i32.add (local.get $table) (i32.const 8)))
  (local.set $last (i32.load (local.get $table)))
  (local.set $high (local.get $last))
  ;; low: the number of transitions up to the instant.
  (block $found
    (loop $next
      (br_if $found (i32.ge_u (local.get $low) (local.get $high)))
      (local.set $middle (i32.shr_u (i32.add (local.get $low) (local.get $high)) (i32.const 1)))
      (if (i64.le_s
            (i64.shr_s
              (i64.load (i32.add (local.get $first) (i32.shl (local.get $middle) (i32.const 3))))
              (i64.const 18))
            (local.get $seconds))
        (then (local.set $low (i32.add (local.get $middle) (i32.const 1))))
        (else (local.set $high (local.get $middle))))
      (br $next)))
  (local.set $first (i32.add (local.get $first) (i32.shl (local.get $low) (i32.const 3))))
  (if (i32.eq (local.get $low) (local.get $last))
    (then (return (call $zone_rule_offset (local.get $first) (local.get $seconds)))))
  (if (i32.eqz (local.get $low)) (then (return (i32.load offset=4 (local.get $table)))))
  (i32.sub
    (i32.and (i32.load (i32.sub (local.get $first) (i32.const 8))) (i32.const 0x3ffff))
    (i32.const 0x20000)))

;; The seconds east of UTC by a zone's rule, which holds from the last transition on.
(func $zone_rule_offset (param $rule i32) (param $seconds i64) (result i32)
  (local $standard i32) (local $summer i32) (local $year i32) (local $start i64) (local $end i64)
  (local.set $standard (i32.load (local.get $rule)))
  (local.set $summer (i32.load offset=4 (local.get $rule)))
  (if (i32.eq (local.get $standard) (local.get $summer)) (then (return (local.get $standard))))
  (local.set $year (i32.shr_u (call $time_date (local.get $seconds)) (i32.const 18)))
  ;; Summer time starts on the clock of standard time and ends on its own.
  (local.set $start
    (i64.sub
      (call $zone_rule_day (i32.add (local.get $rule) (i32.const 8)) (local.get $year))
      (i64.extend_i32_s (local.get $standard))))
  (local.set $end
    (i64.sub
      (call $zone_rule_day (i32.add (local.get $rule) (i32.const 16)) (local.get $year))
      (i64.extend_i32_s (local.get $summer))))
  ;; In the south the year begins in summer.
  (if (i64.lt_s (local.get $start) (local.get $end))
    (then
      (return
        (select
          (local.get $summer)
          (local.get $standard)
          (i32.and
            (i64.le_s (local.get $start) (local.get $seconds))
            (i64.lt_s (local.get $seconds) (local.get $end)))))))
  (select
    (local.get $standard)
    (local.get $summer)
    (i32.and
      (i64.le_s (local.get $end) (local.get $seconds))
      (i64.lt_s (local.get $seconds) (local.get $start)))))

;; The local time, in seconds from the epoch, of a rule's date in a year (POSIX, TZ; RFC 9636, 3.3.1).
(func $zone_rule_day (param $date i32) (param $year i32) (result i64)
  (local $code i32) (local $month i32) (local $day i32)
  (local.set $code (i32.load (local.get $date)))
  (local.set $month (i32.and (i32.shr_u (local.get $code) (i32.const 6)) (i32.const 15)))
  (if (i32.and (local.get $code) (i32.const 0x400))
    (then
      ;; Mm.w.d: from the first of the month to the first such weekday, then weeks; the fifth is the last of the month.
      (local.set $day (call $time_day (local.get $year) (local.get $month) (i32.const 1)))
      ;; Day 0 was a Wednesday.
      (local.set $day
        (i32.rem_u
          (i32.add
            (i32.sub
              (i32.and (local.get $code) (i32.const 7))
              (i32.rem_u (i32.add (local.get $day) (i32.const 3)) (i32.const 7)))
            (i32.const 7))
          (i32.const 7)))
      (local.set $day
        (i32.add
          (local.get $day)
          (i32.mul
            (i32.sub (i32.and (i32.shr_u (local.get $code) (i32.const 3)) (i32.const 7)) (i32.const 1))
            (i32.const 7))))
      (if (i32.ge_u (local.get $day) (call $time_days_in (local.get $year) (local.get $month)))
        (then (local.set $day (i32.sub (local.get $day) (i32.const 7)))))
      (local.set $day
        (call $time_day (local.get $year) (local.get $month) (i32.add (local.get $day) (i32.const 1)))))
    (else
      ;; n counts from 0; Jn counts from 1 and leaves leap days out.
      (local.set $day (i32.and (local.get $code) (i32.const 511)))
      (if (i32.and (local.get $code) (i32.const 0x200))
        (then
          (local.set $day
            (i32.sub
              (local.get $day)
              (i32.or
                (i32.lt_u (local.get $day) (i32.const 60))
                (i32.eqz (call $time_is_leap (local.get $year))))))))
      (local.set $day
        (call $time_day (local.get $year) (i32.const 1) (i32.add (local.get $day) (i32.const 1))))))
  (i64.add
    (i64.sub
      (i64.mul (i64.extend_i32_s (local.get $day)) (i64.const 86400))
      (i64.const 62162035200))
    (i64.extend_i32_s (i32.load offset=4 (local.get $date)))))

;; `timestamp.getFullYear(zone)`, the zone computed.
(func $fn_full_year_in (param $timestamp i32) (param $zone i32) (result i32)
  (call $fn_full_year (call $time_in (local.get $timestamp) (local.get $zone))))

;; `timestamp.getFullYear(zone)`, the zone a constant.
(func $full_year_zone (param $timestamp i32) (param $table i32) (result i32)
  (call $fn_full_year (call $time_at (local.get $timestamp) (local.get $table))))

;; `timestamp.getMonth(zone)`, the zone computed.
(func $fn_month_in (param $timestamp i32) (param $zone i32) (result i32)
  (call $fn_month (call $time_in (local.get $timestamp) (local.get $zone))))

;; `timestamp.getMonth(zone)`, the zone a constant.
(func $month_zone (param $timestamp i32) (param $table i32) (result i32)
  (call $fn_month (call $time_at (local.get $timestamp) (local.get $table))))

;; `timestamp.getDayOfYear(zone)`, the zone computed.
(func $fn_day_of_year_in (param $timestamp i32) (param $zone i32) (result i32)
  (call $fn_day_of_year (call $time_in (local.get $timestamp) (local.get $zone))))

;; `timestamp.getDayOfYear(zone)`, the zone a constant.
(func $day_of_year_zone (param $timestamp i32) (param $table i32) (result i32)
  (call $fn_day_of_year (call $time_at (local.get $timestamp) (local.get $table))))

;; `timestamp.getDayOfMonth(zone)`, the zone computed.
(func $fn_day_of_month_in (param $timestamp i32) (param $zone i32) (result i32)
  (call $fn_day_of_month (call $time_in (local.get $timestamp) (local.get $zone))))

;; `timestamp.getDayOfMonth(zone)`, the zone a constant.
(func $day_of_month_zone (param $timestamp i32) (param $table i32) (result i32)
  (call $fn_day_of_month (call $time_at (local.get $timestamp) (local.get $table))))

;; `timestamp.getDate(zone)`, the zone computed.
(func $fn_date_in (param $timestamp i32) (param $zone i32) (result i32)
  (call $fn_date (call $time_in (local.get $timestamp) (local.get $zone))))

;; `timestamp.getDate(zone)`, the zone a constant.
(func $date_zone (param $timestamp i32) (param $table i32) (result i32)
  (call $fn_date (call $time_at (local.get $timestamp) (local.get $table))))

;; `timestamp.getDayOfWeek(zone)`, the zone computed.
(func $fn_day_of_week_in (param $timestamp i32) (param $zone i32) (result i32)
  (call $fn_day_of_week (call $time_in (local.get $timestamp) (local.get $zone))))

;; `timestamp.getDayOfWeek(zone)`, the zone a constant.
(func $day_of_week_zone (param $timestamp i32) (param $table i32) (result i32)
  (call $fn_day_of_week (call $time_at (local.get $timestamp) (local.get $table))))

;; `timestamp.getHours(zone)`, the zone computed.
(func $fn_hours_in (param $timestamp i32) (param $zone i32) (result i32)
  (call $fn_hours (call $time_in (local.get $timestamp) (local.get $zone))))

;; `timestamp.getHours(zone)`, the zone a constant.
(func $hours_zone (param $timestamp i32) (param $table i32) (result i32)
  (call $fn_hours (call $time_at (local.get $timestamp) (local.get $table))))

;; `timestamp.getMinutes(zone)`, the zone computed.
(func $fn_minutes_in (param $timestamp i32) (param $zone i32) (result i32)
  (call $fn_minutes (call $time_in (local.get $timestamp) (local.get $zone))))

;; `timestamp.getMinutes(zone)`, the zone a constant.
(func $minutes_zone (param $timestamp i32) (param $table i32) (result i32)
  (call $fn_minutes (call $time_at (local.get $timestamp) (local.get $table))))

;; `timestamp.getSeconds(zone)`, the zone computed.
(func $fn_seconds_in (param $timestamp i32) (param $zone i32) (result i32)
  (call $fn_seconds (call $time_in (local.get $timestamp) (local.get $zone))))

;; `timestamp.getSeconds(zone)`, the zone a constant.
(func $seconds_zone (param $timestamp i32) (param $table i32) (result i32)
  (call $fn_seconds (call $time_at (local.get $timestamp) (local.get $table))))

;; `timestamp.getMilliseconds(zone)`, the zone computed.
(func $fn_milliseconds_in (param $timestamp i32) (param $zone i32) (result i32)
  (call $fn_milliseconds (call $time_in (local.get $timestamp) (local.get $zone))))

;; `timestamp.getMilliseconds(zone)`, the zone a constant.
(func $milliseconds_zone (param $timestamp i32) (param $table i32) (result i32)
  (call $fn_milliseconds (call $time_at (local.get $timestamp) (local.get $table))))
