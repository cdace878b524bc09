/// Reads server-sent events, as the HTML standard has them, from pieces cut anywhere.
struct EventStream {
    struct Event: Equatable {
        /// The last id that the stream named.
        var id: String
        var name: String
        var data: [UInt8]
    }

    /// More bytes in one event are no event of a master.
    static let mostEventBytes = 4 << 20

    private var line: [UInt8] = []
    private var data: [UInt8] = []
    private var hasData = false
    private var name = ""
    private var id = ""
    private var endedWithReturn = false
    /// Whether an event was too large; nothing is read any more then.
    private(set) var isBroken = false

    /// Takes a piece; calls back with each event that it completes, until that says `false`.
    mutating func take(_ piece: UnsafeRawBufferPointer, _ event: (Event) -> Bool) {
        for byte in piece where !isBroken {
            let follows = endedWithReturn && byte == 0x0a
            endedWithReturn = byte == 0x0d
            if follows { continue }
            if byte == 0x0a || byte == 0x0d {
                let goesOn = end(event)
                line.removeAll(keepingCapacity: true)
                if !goesOn { return }
            } else {
                line.append(byte)
                isBroken = line.count + data.count > Self.mostEventBytes
            }
        }
    }

    /// Ends a line; an empty one ends an event.
    private mutating func end(_ event: (Event) -> Bool) -> Bool {
        if line.isEmpty {
            defer {
                data = []
                hasData = false
                name = ""
            }
            return hasData ? event(Event(id: id, name: name, data: data)) : true
        }
        let colon = line.firstIndex(of: 0x3a) ?? line.endIndex
        var value = line[colon...].dropFirst()
        if value.first == 0x20 { value = value.dropFirst() }
        switch String(decoding: line[..<colon], as: UTF8.self) {
        case "data":
            if hasData { data.append(0x0a) }
            data += value
            hasData = true
        case "event": name = String(decoding: value, as: UTF8.self)
        case "id": if !value.contains(0) { id = String(decoding: value, as: UTF8.self) }
        default: break
        }
        return true
    }
}
