;; Strings from parts and parts of strings: join, split, replace (docs/language.md L5.4, L5.8).

;; `list.join()`.
(func $fn_join (param $list i32) (result i32)
  (if (i32.ne (call $tag (local.get $list)) (i32.const 8)) (then (return (call $not_a_test (local.get $list)))))
  (call $text_join (local.get $list) (i32.const 0) (i32.const 0)))

;; `list.join(separator)`.
(func $fn_join_with (param $list i32) (param $separator i32) (result i32)
  (local $refused i32)
  (local.set $refused
    (call $text_expect (local.get $list) (i32.const 8)
      (call $text_expect (local.get $separator) (i32.const 6) (i32.const 0))))
  (if (local.get $refused) (then (return (local.get $refused))))
  (call $text_join (local.get $list) (call $address (local.get $separator)) (call $count (local.get $separator))))

;; The strings of a list in one, with a separator between them.
(func $text_join (param $list i32) (param $separator i32) (param $separator_length i32) (result i32)
  (local $at i32) (local $end i32) (local $cell i32) (local $joined i32) (local $to i32) (local $length i64)
  (if (i32.eqz (call $charge_steps (i32.shr_u (call $count (local.get $list)) (i32.const 4))))
    (then (return (global.get $fatal))))
  (local.set $at (call $address (local.get $list)))
  (local.set $end (i32.add (local.get $at) (i32.shl (call $count (local.get $list)) (i32.const 2))))
  (block $measured
    (loop $next
      (br_if $measured (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $cell (i32.load (local.get $at)))
      (if (i32.ne (call $tag (local.get $cell)) (i32.const 6)) (then (return (call $not_a_test (local.get $cell)))))
      (local.set $length (i64.add (local.get $length) (i64.extend_i32_u (call $count (local.get $cell)))))
      (local.set $at (i32.add (local.get $at) (i32.const 4)))
      (if (i32.lt_u (local.get $at) (local.get $end))
        (then (local.set $length (i64.add (local.get $length) (i64.extend_i32_u (local.get $separator_length))))))
      (br $next)))
  (if (i32.eqz (call $text_charge (local.get $length))) (then (return (global.get $fatal))))
  (local.set $joined (call $alloc (i32.wrap_i64 (local.get $length))))
  (local.set $to (local.get $joined))
  (local.set $at (call $address (local.get $list)))
  (block $copied
    (loop $next
      (br_if $copied (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $cell (i32.load (local.get $at)))
      (memory.copy (local.get $to) (call $address (local.get $cell)) (call $count (local.get $cell)))
      (local.set $to (i32.add (local.get $to) (call $count (local.get $cell))))
      (local.set $at (i32.add (local.get $at) (i32.const 4)))
      (if (i32.lt_u (local.get $at) (local.get $end))
        (then
          (memory.copy (local.get $to) (local.get $separator) (local.get $separator_length))
          (local.set $to (i32.add (local.get $to) (local.get $separator_length)))))
      (br $next)))
  (call $new_string (local.get $joined) (i32.wrap_i64 (local.get $length))))

;; `text.split(separator)`.
(func $fn_split (param $text i32) (param $separator i32) (result i32)
  (local $refused i32)
  (local.set $refused
    (call $text_expect (local.get $text) (i32.const 6)
      (call $text_expect (local.get $separator) (i32.const 6) (i32.const 0))))
  (if (local.get $refused) (then (return (local.get $refused))))
  (call $text_split (local.get $text) (local.get $separator) (i64.const -1)))

;; `text.split(separator, limit)`.
(func $fn_split_limit (param $text i32) (param $separator i32) (param $limit i32) (result i32)
  (local $refused i32)
  (local.set $refused
    (call $text_expect (local.get $text) (i32.const 6)
      (call $text_expect (local.get $separator) (i32.const 6)
        (call $text_expect (local.get $limit) (i32.const 3) (i32.const 0)))))
  (if (local.get $refused) (then (return (local.get $refused))))
  (call $text_split (local.get $text) (local.get $separator) (i64.load offset=8 (local.get $limit))))

;; The parts of a string cell between separators: at most limit of them, any number where it is negative. Goes over the
;; text twice: to count the parts for the charge, and to make them.
(func $text_split (param $text i32) (param $separator i32) (param $limit i64) (result i32)
  (local $at i32) (local $end i32) (local $mark i32) (local $width i32) (local $parts i32) (local $left i64)
  (local $list i32) (local $to i32)
  (if (i32.eqz (call $charge_scan (local.get $text))) (then (return (global.get $fatal))))
  (local.set $end (i32.add (call $address (local.get $text)) (call $count (local.get $text))))
  (local.set $mark (call $address (local.get $separator)))
  (local.set $width (call $count (local.get $separator)))
  (if (i64.eqz (local.get $limit)) (then (return (call $new_list (i32.const 0)))))
  ;; Without a separator an empty text has no code points to part.
  (if (i32.and
        (i32.eqz (i32.or (call $count (local.get $text)) (local.get $width)))
        (i64.ne (local.get $limit) (i64.const 1)))
    (then (return (call $new_list (i32.const 0)))))
  (loop $pass
    (local.set $at (call $address (local.get $text)))
    (local.set $left (i64.sub (local.get $limit) (i64.const 1)))
    (local.set $parts (i32.const 1))
    (block $last
      (loop $next
        (br_if $last (i64.eqz (local.get $left)))
        (local.set $to (call $text_cut (local.get $at) (local.get $end) (local.get $mark) (local.get $width)))
        (br_if $last (i32.eqz (local.get $to)))
        (if (local.get $list)
          (then (call $append (local.get $list)
            (call $new_string (local.get $at) (i32.sub (local.get $to) (local.get $at))))))
        (local.set $parts (i32.add (local.get $parts) (i32.const 1)))
        (local.set $at (i32.add (local.get $to) (local.get $width)))
        (local.set $left (i64.sub (local.get $left) (i64.const 1)))
        (br $next)))
    (if (local.get $list)
      (then
        (call $append (local.get $list)
          (call $new_string (local.get $at) (i32.sub (local.get $end) (local.get $at))))
        (return (local.get $list))))
    ;; 16 for each part, and the text without its separators. Both are below 2^25.
    (if (i32.eqz
          (call $charge_bytes
            (i32.sub
              (i32.add (i32.shl (local.get $parts) (i32.const 4)) (call $count (local.get $text)))
              (i32.mul (i32.sub (local.get $parts) (i32.const 1)) (local.get $width)))))
      (then (return (global.get $fatal))))
    (local.set $list (call $start_list (local.get $parts)))
    (br $pass))
  (unreachable))

;; Where the part of a text that begins at `at` ends, or 0 for its last part: at the next separator, or after one code
;; point where the separator is empty. There is at least one byte then.
(func $text_cut (param $at i32) (param $end i32) (param $separator i32) (param $width i32) (result i32)
  (local $found i32)
  (if (i32.eqz (local.get $width))
    (then
      (local.set $at (i32.add (local.get $at) (call $text_width (i32.load8_u (local.get $at)))))
      (return (select (local.get $at) (i32.const 0) (i32.lt_u (local.get $at) (local.get $end))))))
  (local.set $found
    (call $text_find
      (local.get $at) (i32.sub (local.get $end) (local.get $at)) (local.get $separator) (local.get $width)))
  (select
    (i32.const 0)
    (i32.add (local.get $at) (local.get $found))
    (i32.lt_s (local.get $found) (i32.const 0))))

;; `text.replace(old, new)`.
(func $fn_replace (param $text i32) (param $old i32) (param $new i32) (result i32)
  (call $text_replace (local.get $text) (local.get $old) (local.get $new) (i64.const -1)
    (call $text_expect (local.get $text) (i32.const 6)
      (call $text_expect (local.get $old) (i32.const 6)
        (call $text_expect (local.get $new) (i32.const 6) (i32.const 0))))))

;; `text.replace(old, new, limit)`.
(func $fn_replace_limit (param $text i32) (param $old i32) (param $new i32) (param $limit i32) (result i32)
  (call $text_replace (local.get $text) (local.get $old) (local.get $new) (i64.load offset=8 (local.get $limit))
    (call $text_expect (local.get $text) (i32.const 6)
      (call $text_expect (local.get $old) (i32.const 6)
        (call $text_expect (local.get $new) (i32.const 6)
          (call $text_expect (local.get $limit) (i32.const 3) (i32.const 0)))))))

;; A string cell with occurrences of old replaced: at most limit, all where it is negative. refused: a fault's cell
;; that is the result instead, or 0. Goes over the text twice: to count for the charge, and to copy.
(func $text_replace (param $text i32) (param $old i32) (param $new i32) (param $limit i64) (param $refused i32)
  (result i32)
  (local $from i32) (local $end i32) (local $at i32) (local $to i32) (local $copy i32) (local $length i64)
  (local $left i64)
  (if (local.get $refused) (then (return (local.get $refused))))
  (if (i32.eqz (call $charge_scan (local.get $text))) (then (return (global.get $fatal))))
  (local.set $end (i32.add (call $address (local.get $text)) (call $count (local.get $text))))
  (local.set $length (i64.extend_i32_u (call $count (local.get $text))))
  (loop $pass
    ;; at: what is copied so far; from: where the search goes on.
    (local.set $at (call $address (local.get $text)))
    (local.set $from (local.get $at))
    (local.set $left (local.get $limit))
    (block $done
      (loop $next
        (br_if $done (i64.eqz (local.get $left)))
        (local.set $from (call $text_find_next (local.get $from) (local.get $end) (local.get $old)))
        (br_if $done (i32.eqz (local.get $from)))
        (if (local.get $copy)
          (then
            (local.set $to (call $text_copy (local.get $to) (local.get $at) (i32.sub (local.get $from) (local.get $at))))
            (local.set $to
              (call $text_copy (local.get $to) (call $address (local.get $new)) (call $count (local.get $new)))))
          (else
            (local.set $length
              (i64.add (local.get $length)
                (i64.extend_i32_s (i32.sub (call $count (local.get $new)) (call $count (local.get $old))))))))
        (local.set $at (i32.add (local.get $from) (call $count (local.get $old))))
        ;; An empty old is found again one code point on, and for the last time at the end.
        (local.set $from
          (select
            (local.get $at)
            (i32.add
              (local.get $from)
              (call $text_width
                (select (i32.const 0) (i32.load8_u (local.get $from)) (i32.eq (local.get $from) (local.get $end)))))
            (call $count (local.get $old))))
        (local.set $left (i64.sub (local.get $left) (i64.const 1)))
        (br $next)))
    (if (local.get $copy)
      (then
        (drop (call $text_copy (local.get $to) (local.get $at) (i32.sub (local.get $end) (local.get $at))))
        (return (call $new_string (local.get $copy) (i32.wrap_i64 (local.get $length))))))
    (if (i32.eqz (call $text_charge (local.get $length))) (then (return (global.get $fatal))))
    (local.set $copy (call $alloc (i32.wrap_i64 (local.get $length))))
    (local.set $to (local.get $copy))
    (br $pass))
  (unreachable))

;; The address of the next occurrence of a string cell's text between two addresses, or 0. The empty text is found at
;; once, at the end too, but not beyond.
(func $text_find_next (param $from i32) (param $end i32) (param $part i32) (result i32)
  (local $found i32)
  (if (i32.gt_u (local.get $from) (local.get $end)) (then (return (i32.const 0))))
  (local.set $found
    (call $text_find
      (local.get $from) (i32.sub (local.get $end) (local.get $from))
      (call $address (local.get $part)) (call $count (local.get $part))))
  (select
    (i32.const 0)
    (i32.add (local.get $from) (local.get $found))
    (i32.lt_s (local.get $found) (i32.const 0))))

;; Copies bytes; the address after the copy.
(func $text_copy (param $to i32) (param $from i32) (param $length i32) (result i32)
  (memory.copy (local.get $to) (local.get $from) (local.get $length))
  (i32.add (local.get $to) (local.get $length)))
