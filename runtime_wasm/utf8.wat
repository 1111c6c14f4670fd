;; UTF-8 (RFC 3629) in memory.

;; Whether bytes are UTF-8 of Unicode scalar values: no overlong forms, no surrogates, nothing beyond U+10FFFF.
(func $is_utf8 (param $at i32) (param $length i32) (result i32)
  (local $end i32) (local $byte i32) (local $more i32) (local $low i32) (local $high i32)
  (local.set $end (i32.add (local.get $at) (local.get $length)))
  (loop $next
    (block $ascii
      (loop $eight
        (br_if $ascii (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 8)))
        (br_if $ascii
          (i64.ne (i64.and (i64.load (local.get $at)) (i64.const 0x8080808080808080)) (i64.const 0)))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br $eight)))
    (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (i32.const 1))))
    (local.set $byte (i32.load8_u (local.get $at)))
    (local.set $at (i32.add (local.get $at) (i32.const 1)))
    (br_if $next (i32.lt_u (local.get $byte) (i32.const 0x80)))
    (if (i32.or (i32.lt_u (local.get $byte) (i32.const 0xc2)) (i32.gt_u (local.get $byte) (i32.const 0xf4)))
      (then (return (i32.const 0))))
    (local.set $more
      (i32.add
        (i32.const 1)
        (i32.add
          (i32.ge_u (local.get $byte) (i32.const 0xe0))
          (i32.ge_u (local.get $byte) (i32.const 0xf0)))))
    (if (i32.gt_u (local.get $more) (i32.sub (local.get $end) (local.get $at))) (then (return (i32.const 0))))
    (local.set $low (i32.const 0x80))
    (local.set $high (i32.const 0xbf))
    (if (i32.eq (local.get $byte) (i32.const 0xe0)) (then (local.set $low (i32.const 0xa0))))
    (if (i32.eq (local.get $byte) (i32.const 0xed)) (then (local.set $high (i32.const 0x9f))))
    (if (i32.eq (local.get $byte) (i32.const 0xf0)) (then (local.set $low (i32.const 0x90))))
    (if (i32.eq (local.get $byte) (i32.const 0xf4)) (then (local.set $high (i32.const 0x8f))))
    (loop $continuation
      (local.set $byte (i32.load8_u (local.get $at)))
      (if (i32.or (i32.lt_u (local.get $byte) (local.get $low)) (i32.gt_u (local.get $byte) (local.get $high)))
        (then (return (i32.const 0))))
      (local.set $low (i32.const 0x80))
      (local.set $high (i32.const 0xbf))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (local.set $more (i32.sub (local.get $more) (i32.const 1)))
      (br_if $continuation (local.get $more)))
    (br $next))
  (unreachable))

;; The number of code points of UTF-8 bytes.
(func $count_code_points (param $at i32) (param $length i32) (result i32)
  (local $end i32) (local $count i32)
  (local.set $end (i32.add (local.get $at) (local.get $length)))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $count
        (i32.add (local.get $count)
          (i32.ne (i32.and (i32.load8_u (local.get $at)) (i32.const 0xc0)) (i32.const 0x80))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $next)))
  (local.get $count))

;; Whether two string or bytes cells have the same bytes.
(func $same_text (param $left i32) (param $right i32) (result i32)
  (if (i32.ne (call $count (local.get $left)) (call $count (local.get $right))) (then (return (i32.const 0))))
  (call $same_bytes (call $address (local.get $left)) (call $address (local.get $right)) (call $count (local.get $left))))
