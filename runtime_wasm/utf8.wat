;; UTF-8 (RFC 3629) in memory.

;; Whether bytes are UTF-8 of Unicode scalar values: no overlong forms, no surrogates, nothing beyond U+10FFFF.
(func $is_utf8 (param $at i32) (param $length i32) (result i32)
  (local $end i32) (local $byte i32) (local $more i32) (local $left i32) (local $point i32) (local $word i64)
  (local.set $end (i32.add (local.get $at) (local.get $length)))
  (loop $next
    (block $stop
      (loop $eight
        (local.set $word (i64.and (i64.load (local.get $at)) (i64.const 0x8080808080808080)))
        (local.set $left (i32.sub (local.get $end) (local.get $at)))
        (br_if $stop (i32.lt_u (local.get $left) (i32.const 8)))
        (br_if $stop (i64.ne (local.get $word) (i64.const 0)))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br $eight)))
    ;; Of the last bytes, less than eight, only they count. The heap does not fill: memory goes on behind every text.
    (if (i32.lt_u (local.get $left) (i32.const 8))
      (then
        (local.set $word
          (i64.and
            (local.get $word)
            (i64.sub
              (i64.shl (i64.const 1) (i64.extend_i32_u (i32.shl (local.get $left) (i32.const 3))))
              (i64.const 1))))
        (if (i64.eqz (local.get $word)) (then (return (i32.const 1))))))
    (local.set $at (i32.add (local.get $at) (i32.wrap_i64 (i64.shr_u (i64.ctz (local.get $word)) (i64.const 3)))))
    (local.set $byte (i32.load8_u (local.get $at)))
    (local.set $at (i32.add (local.get $at) (i32.const 1)))
    ;; The first byte is 0xc2 to 0xf4; its leading ones, but for the first, count the bytes that follow.
    (if (i32.gt_u (i32.sub (local.get $byte) (i32.const 0xc2)) (i32.const 0x32)) (then (return (i32.const 0))))
    (local.set $more
      (i32.sub
        (i32.clz (i32.xor (i32.shl (local.get $byte) (i32.const 24)) (i32.const -1)))
        (i32.const 1)))
    (if (i32.gt_u (local.get $more) (i32.sub (local.get $end) (local.get $at))) (then (return (i32.const 0))))
    (local.set $point (i32.and (local.get $byte) (i32.shr_u (i32.const 0x3f) (local.get $more))))
    (local.set $left (local.get $more))
    (loop $continuation
      (local.set $byte (i32.load8_u (local.get $at)))
      (if (i32.ne (i32.and (local.get $byte) (i32.const 0xc0)) (i32.const 0x80)) (then (return (i32.const 0))))
      (local.set $point
        (i32.or (i32.shl (local.get $point) (i32.const 6)) (i32.and (local.get $byte) (i32.const 0x3f))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $continuation (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    ;; The least code points of three and four bytes are 2^11 and 2^16; surrogates are 27 * 2^11 and on.
    (br_if $next
      (i32.eqz
        (i32.or
          (i32.eq (i32.shr_u (local.get $point) (i32.const 11)) (i32.const 27))
          (i32.or
            (i32.gt_u (local.get $point) (i32.const 0x10ffff))
            (i32.eqz
              (i32.shr_u (local.get $point) (i32.add (i32.mul (local.get $more) (i32.const 5)) (i32.const 1)))))))))
  (i32.const 0))

;; The number of code points of UTF-8 bytes: of the bytes that are not 10xxxxxx, eight at a time.
(func $count_code_points (param $at i32) (param $length i32) (result i32)
  (local $end i32) (local $count i32) (local $word i64)
  (local.set $end (i32.add (local.get $at) (local.get $length)))
  (local.set $count (local.get $length))
  (block $tail
    (loop $eight
      (br_if $tail (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 8)))
      (local.set $word (i64.load (local.get $at)))
      (local.set $count
        (i32.sub (local.get $count)
          (i32.wrap_i64
            (i64.popcnt
              (i64.and
                (i64.and (local.get $word) (i64.shl (i64.xor (local.get $word) (i64.const -1)) (i64.const 1)))
                (i64.const 0x8080808080808080))))))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br $eight)))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $count
        (i32.sub (local.get $count)
          (i32.eq (i32.and (i32.load8_u (local.get $at)) (i32.const 0xc0)) (i32.const 0x80))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $next)))
  (local.get $count))

;; Whether two string or bytes cells have the same bytes.
(func $same_text (param $left i32) (param $right i32) (result i32)
  (if (i32.ne (call $count (local.get $left)) (call $count (local.get $right))) (then (return (i32.const 0))))
  (call $same_bytes (call $address (local.get $left)) (call $address (local.get $right)) (call $count (local.get $left))))
