/// The last bytes that a step wrote.
struct LogTail {
    /// How many are kept at least, if so many were written.
    static let kept = 16 << 10

    private var bytes: [UInt8] = []
    /// Whether the first line kept is not whole.
    private var isCut = false
    /// Lines that were ended.
    private(set) var ended = 0

    /// All lines, the unfinished last one as well.
    var lines: Int { ended + (bytes.isEmpty || bytes.last == 0x0a ? 0 : 1) }

    mutating func append(_ more: UnsafeRawBufferPointer) {
        var count = 0
        for byte in more { count &+= byte == 0x0a ? 1 : 0 }
        ended += count
        if more.count >= Self.kept {
            isCut = isCut || !bytes.isEmpty || more.count > Self.kept
            bytes.removeAll(keepingCapacity: true)
            bytes.append(contentsOf: more[(more.count - Self.kept)...])
            return
        }
        bytes.append(contentsOf: more)
        if bytes.count > 2 * Self.kept {
            bytes.removeFirst(bytes.count - Self.kept)
            isCut = true
        }
    }

    /// The last lines, at most `count`, without their ends.
    func last(_ count: Int) -> [ArraySlice<UInt8>] {
        var found: [ArraySlice<UInt8>] = []
        var end = bytes.last == 0x0a ? bytes.count - 1 : bytes.count
        if bytes.isEmpty { return [] }
        while found.count < count, end >= 0 {
            var start = end
            while start > 0, bytes[start - 1] != 0x0a { start -= 1 }
            // What is left of a line whose beginning is gone is shown only if it is all there is.
            if start == 0, isCut, !found.isEmpty { break }
            found.append(bytes[start..<end])
            if start == 0 { break }
            end = start - 1
        }
        return found.reversed()
    }

    /// The last line that is not blank, or nothing; looks at a few kibibytes at most.
    var lastLine: ArraySlice<UInt8> {
        let limit = max(0, bytes.count - 4096)
        var end = bytes.count
        while end > limit, bytes[end - 1] <= 0x20 { end -= 1 }
        var start = end
        while start > limit, bytes[start - 1] != 0x0a { start -= 1 }
        return bytes[start..<end]
    }
}
