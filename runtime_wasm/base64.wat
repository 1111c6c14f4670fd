;; Base64 (docs/language.md L6.6; RFC 4648, section 4).

;; `base64.encode(data)`, padded.
(func $fn_base64_encode (param $data i32) (result i32)
  (local $from i32) (local $left i32) (local $length i32) (local $copy i32) (local $to i32) (local $group i32)
  (local $shift i32)
  (if (i32.ne (call $tag (local.get $data)) (i32.const 7)) (then (return (call $not_a_test (local.get $data)))))
  (local.set $from (call $address (local.get $data)))
  (local.set $left (call $count (local.get $data)))
  (local.set $length
    (i32.shl (i32.div_u (i32.add (local.get $left) (i32.const 2)) (i32.const 3)) (i32.const 2)))
  (if (i32.eqz (call $charge_bytes (local.get $length))) (then (return (global.get $fatal))))
  (local.set $copy (call $alloc (local.get $length)))
  (local.set $to (local.get $copy))
  (block $done
    (loop $next
      (br_if $done (i32.eqz (local.get $left)))
      ;; Three bytes make four letters; one or two bytes make two or three, and padding.
      (local.set $group (i32.shl (i32.load8_u (local.get $from)) (i32.const 16)))
      (i32.store (local.get $to) (i32.const 0x3d3d3d3d))
      (local.set $shift (i32.const 12))
      (if (i32.gt_u (local.get $left) (i32.const 1))
        (then
          (local.set $group
            (i32.or (local.get $group) (i32.shl (i32.load8_u offset=1 (local.get $from)) (i32.const 8))))
          (local.set $shift (i32.const 6))))
      (if (i32.gt_u (local.get $left) (i32.const 2))
        (then
          (local.set $group (i32.or (local.get $group) (i32.load8_u offset=2 (local.get $from))))
          (local.set $shift (i32.const 0))))
      (local.set $left (select (i32.const 0) (i32.sub (local.get $left) (i32.const 3)) (local.get $shift)))
      (local.set $from (i32.add (local.get $from) (i32.const 3)))
      (loop $letter
        (i32.store8
          (i32.add (local.get $to) (i32.sub (i32.const 3) (i32.div_u (local.get $shift) (i32.const 6))))
          (call $base64_letter
            (i32.and (i32.shr_u (local.get $group) (local.get $shift)) (i32.const 63))))
        (local.set $shift (i32.add (local.get $shift) (i32.const 6)))
        (br_if $letter (i32.le_u (local.get $shift) (i32.const 18))))
      (local.set $to (i32.add (local.get $to) (i32.const 4)))
      (br $next)))
  (call $new_string (local.get $copy) (local.get $length)))

;; The letter of six bits.
(func $base64_letter (param $bits i32) (result i32)
  (if (i32.lt_u (local.get $bits) (i32.const 26)) (then (return (i32.add (local.get $bits) (i32.const 65)))))
  (if (i32.lt_u (local.get $bits) (i32.const 52)) (then (return (i32.add (local.get $bits) (i32.const 71)))))
  (if (i32.lt_u (local.get $bits) (i32.const 62)) (then (return (i32.sub (local.get $bits) (i32.const 4)))))
  (select (i32.const 43) (i32.const 47) (i32.eq (local.get $bits) (i32.const 62))))

;; The six bits of a letter; 64 for another byte.
(func $base64_bits (param $letter i32) (result i32)
  (if (i32.lt_u (i32.sub (local.get $letter) (i32.const 65)) (i32.const 26))
    (then (return (i32.sub (local.get $letter) (i32.const 65)))))
  (if (i32.lt_u (i32.sub (local.get $letter) (i32.const 97)) (i32.const 26))
    (then (return (i32.sub (local.get $letter) (i32.const 71)))))
  (if (i32.lt_u (i32.sub (local.get $letter) (i32.const 48)) (i32.const 10))
    (then (return (i32.add (local.get $letter) (i32.const 4)))))
  (if (i32.eq (local.get $letter) (i32.const 43)) (then (return (i32.const 62))))
  (select (i32.const 63) (i32.const 64) (i32.eq (local.get $letter) (i32.const 47))))

;; `base64.decode(text)`: padded, or not at all; bits that no byte takes are zero. Reads the text twice: to find what is
;; wrong with it before the charge, and to build.
(func $fn_base64_decode (param $text i32) (result i32)
  (local $from i32) (local $start i32) (local $end i32) (local $length i32) (local $copy i32) (local $to i32)
  (local $bits i32) (local $have i32) (local $byte i32)
  (if (i32.ne (call $tag (local.get $text)) (i32.const 6)) (then (return (call $not_a_test (local.get $text)))))
  (if (i32.eqz (call $charge_scan (local.get $text))) (then (return (global.get $fatal))))
  (local.set $start (call $address (local.get $text)))
  (local.set $end (i32.add (local.get $start) (call $count (local.get $text))))
  ;; Padding fills a group of four: one or two of its letters.
  (if (i32.and
        (i32.ne (local.get $start) (local.get $end))
        (i32.eqz (i32.and (call $count (local.get $text)) (i32.const 3))))
    (then
      (if (i32.eq (i32.load8_u (i32.sub (local.get $end) (i32.const 1))) (i32.const 61))
        (then
          (local.set $end (i32.sub (local.get $end) (i32.const 1)))
          (if (i32.eq (i32.load8_u (i32.sub (local.get $end) (i32.const 1))) (i32.const 61))
            (then (local.set $end (i32.sub (local.get $end) (i32.const 1)))))))))
  (if (i32.eq (i32.and (i32.sub (local.get $end) (local.get $start)) (i32.const 3)) (i32.const 1))
    (then (return (i32.const 96))))
  (loop $pass
    (local.set $from (local.get $start))
    (local.set $have (i32.const 0))
    (local.set $bits (i32.const 0))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $from) (local.get $end)))
        (local.set $byte (call $base64_bits (i32.load8_u (local.get $from))))
        (if (i32.eq (local.get $byte) (i32.const 64)) (then (return (i32.const 96))))
        ;; have: bits that wait for the rest of their byte.
        (local.set $bits (i32.or (i32.shl (local.get $bits) (i32.const 6)) (local.get $byte)))
        (local.set $have (i32.add (local.get $have) (i32.const 6)))
        (local.set $from (i32.add (local.get $from) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $have) (i32.const 8)))
        (local.set $have (i32.sub (local.get $have) (i32.const 8)))
        (if (local.get $copy)
          (then
            (i32.store8 (local.get $to) (i32.shr_u (local.get $bits) (local.get $have)))
            (local.set $to (i32.add (local.get $to) (i32.const 1)))))
        (br $next)))
    (if (local.get $copy) (then (return (call $new_bytes (local.get $copy) (local.get $length)))))
    (if (i32.and (local.get $bits) (i32.sub (i32.shl (i32.const 1) (local.get $have)) (i32.const 1)))
      (then (return (i32.const 96))))
    (local.set $length
      (i32.shr_u
        (i32.mul (i32.sub (local.get $end) (local.get $start)) (i32.const 3))
        (i32.const 2)))
    (if (i32.eqz (call $charge_bytes (local.get $length))) (then (return (global.get $fatal))))
    (local.set $copy (call $alloc (local.get $length)))
    (local.set $to (local.get $copy))
    (br $pass))
  (unreachable))
