;; Natural numbers of any size, for doubles in decimal. In memory: i32 count, then that many u32 limbs, least significant
;; first, the last one not 0. The room for a result is the caller's to know.

;; Stores a number.
(func $big_set (param $big i32) (param $value i64)
  (i32.store (local.get $big)
    (i32.add
      (i64.ne (local.get $value) (i64.const 0))
      (i64.gt_u (local.get $value) (i64.const 0xffffffff))))
  (i64.store offset=4 align=4 (local.get $big) (local.get $value)))

;; Multiplies by a number and adds another one, both of 32 bits.
(func $big_multiply_add (param $big i32) (param $factor i32) (param $carry i32)
  (local $at i32) (local $end i32) (local $wide i64)
  (local.set $at (i32.add (local.get $big) (i32.const 4)))
  (local.set $end (i32.add (local.get $at) (i32.shl (i32.load (local.get $big)) (i32.const 2))))
  (local.set $wide (i64.extend_i32_u (local.get $carry)))
  (block $done
    (loop $next
      (br_if $done (i32.eq (local.get $at) (local.get $end)))
      (local.set $wide
        (i64.add
          (local.get $wide)
          (i64.mul (i64.load32_u (local.get $at)) (i64.extend_i32_u (local.get $factor)))))
      (i64.store32 (local.get $at) (local.get $wide))
      (local.set $wide (i64.shr_u (local.get $wide) (i64.const 32)))
      (local.set $at (i32.add (local.get $at) (i32.const 4)))
      (br $next)))
  (if (i64.ne (local.get $wide) (i64.const 0))
    (then
      (i64.store32 (local.get $at) (local.get $wide))
      (i32.store (local.get $big) (i32.add (i32.load (local.get $big)) (i32.const 1))))))

;; Multiplies by a power of five. 5^13 is the largest in 32 bits.
(func $big_times_power_of_five (param $big i32) (param $power i32)
  (block $done
    (loop $next
      (br_if $done (i32.lt_u (local.get $power) (i32.const 13)))
      (call $big_multiply_add (local.get $big) (i32.const 1220703125) (i32.const 0))
      (local.set $power (i32.sub (local.get $power) (i32.const 13)))
      (br $next)))
  (block $done
    (loop $next
      (br_if $done (i32.eqz (local.get $power)))
      (call $big_multiply_add (local.get $big) (i32.const 5) (i32.const 0))
      (local.set $power (i32.sub (local.get $power) (i32.const 1)))
      (br $next))))

;; Shifts left by so many bits.
(func $big_shift_left (param $big i32) (param $bits i32)
  (local $limbs i32) (local $start i32)
  (if (i32.eqz (i32.load (local.get $big))) (then (return)))
  (call $big_multiply_add
    (local.get $big) (i32.shl (i32.const 1) (i32.and (local.get $bits) (i32.const 31))) (i32.const 0))
  (local.set $limbs (i32.and (i32.shr_u (local.get $bits) (i32.const 3)) (i32.const -4)))
  (if (i32.eqz (local.get $limbs)) (then (return)))
  (local.set $start (i32.add (local.get $big) (i32.const 4)))
  (memory.copy
    (i32.add (local.get $start) (local.get $limbs))
    (local.get $start)
    (i32.shl (i32.load (local.get $big)) (i32.const 2)))
  (memory.fill (local.get $start) (i32.const 0) (local.get $limbs))
  (i32.store (local.get $big)
    (i32.add (i32.load (local.get $big)) (i32.shr_u (local.get $limbs) (i32.const 2)))))

;; The number of bits of a number that is not 0.
(func $big_bits (param $big i32) (result i32)
  (local $count i32)
  (local.set $count (i32.shl (i32.load (local.get $big)) (i32.const 2)))
  (i32.sub
    (i32.shl (local.get $count) (i32.const 3))
    (i32.clz (i32.load (i32.add (local.get $big) (local.get $count))))))

;; -1, 0 or 1 as a number is below, at or above another.
(func $big_compare (param $left i32) (param $right i32) (result i32)
  (local $offset i32) (local $a i32) (local $b i32)
  (local.set $a (i32.load (local.get $left)))
  (local.set $b (i32.load (local.get $right)))
  (local.set $offset (i32.shl (local.get $a) (i32.const 2)))
  (loop $next
    (if (i32.ne (local.get $a) (local.get $b))
      (then (return (select (i32.const -1) (i32.const 1) (i32.lt_u (local.get $a) (local.get $b))))))
    (if (i32.eqz (local.get $offset)) (then (return (i32.const 0))))
    (local.set $a (i32.load (i32.add (local.get $left) (local.get $offset))))
    (local.set $b (i32.load (i32.add (local.get $right) (local.get $offset))))
    (local.set $offset (i32.sub (local.get $offset) (i32.const 4)))
    (br $next))
  (unreachable))

;; Copies a number.
(func $big_copy (param $to i32) (param $from i32)
  (memory.copy (local.get $to) (local.get $from)
    (i32.add (i32.const 4) (i32.shl (i32.load (local.get $from)) (i32.const 2)))))

;; Adds another number times sign: 1, or -1 for a number that is not larger.
(func $big_add (param $big i32) (param $other i32) (param $sign i64)
  (local $at i32) (local $end i32) (local $left i32) (local $wide i64)
  (local.set $at (local.get $big))
  (local.set $left (i32.load (local.get $other)))
  (local.set $end (i32.add (local.get $big) (i32.shl (i32.load (local.get $big)) (i32.const 2))))
  (block $long_enough
    (loop $next
      (br_if $long_enough (i32.ge_u (i32.load (local.get $big)) (local.get $left)))
      (local.set $end (i32.add (local.get $end) (i32.const 4)))
      (i32.store (local.get $end) (i32.const 0))
      (i32.store (local.get $big) (i32.add (i32.load (local.get $big)) (i32.const 1)))
      (br $next)))
  (block $done
    (loop $next
      (br_if $done (i32.eq (local.get $at) (local.get $end)))
      (local.set $at (i32.add (local.get $at) (i32.const 4)))
      (local.set $wide (i64.add (local.get $wide) (i64.load32_u (local.get $at))))
      (if (local.get $left)
        (then
          (local.set $left (i32.sub (local.get $left) (i32.const 1)))
          (local.set $other (i32.add (local.get $other) (i32.const 4)))
          (local.set $wide
            (i64.add (local.get $wide) (i64.mul (i64.load32_u (local.get $other)) (local.get $sign))))))
      (i64.store32 (local.get $at) (local.get $wide))
      ;; A carry of 1, or a borrow of -1.
      (local.set $wide (i64.shr_s (local.get $wide) (i64.const 32)))
      (br $next)))
  (if (i64.ne (local.get $wide) (i64.const 0))
    (then
      (local.set $end (i32.add (local.get $end) (i32.const 4)))
      (i64.store32 (local.get $end) (local.get $wide))))
  ;; Leading zeros go.
  (block $done
    (loop $next
      (br_if $done (i32.eq (local.get $end) (local.get $big)))
      (br_if $done (i32.load (local.get $end)))
      (local.set $end (i32.sub (local.get $end) (i32.const 4)))
      (br $next)))
  (i32.store (local.get $big) (i32.shr_u (i32.sub (local.get $end) (local.get $big)) (i32.const 2))))
