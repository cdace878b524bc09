/// What is known about an evaluation besides its recording.
package struct BridgeReport: Sendable {
    /// Version of the embedded Python, such as `3.11.2`.
    package var python: String
    /// Layers of the sandbox, as the evaluator found them after it had put them on.
    package var layers: [SandboxLayer]
    /// Payload of the last frame.
    package var done: [UInt8] = []
    /// What the evaluator sent, in bytes.
    package var receivedBytes = 0
    /// Requests that were answered.
    package var requests = 0

    /// Reads the payload of a greeting. Throws when it is none.
    init(hello payload: [UInt8]) throws(MarshalError) {
        var reader = MarshalReader(payload)
        try reader.expectTuple(of: 2)
        python = try reader.expectString()
        let count = try reader.expectTuple()
        guard count <= Self.mostLayers else { throw .tooLong(count, at: reader.offset) }
        layers = []
        for _ in 0..<count {
            try reader.expectTuple(of: 3)
            let name = try reader.expectString()
            let holds = try reader.expectBool()
            let detail = try reader.expectString()
            layers.append(SandboxLayer(name: name, holds: holds, detail: detail))
        }
        try reader.expectEnd()
    }

    /// Throws unless Python runs and the layer holds without which nothing is evaluated.
    func check() throws(BridgeError) {
        if python.isEmpty { throw .noLibPython(layers.first?.detail ?? "Python did not start") }
        let filter = layers.first { $0.name == Self.requiredLayer }
        guard let filter, filter.holds else {
            throw .sandboxUnavailable(
                layer: Self.requiredLayer, detail: filter?.detail ?? "not reported")
        }
    }

    /// The filter of system calls.
    private static let requiredLayer = "system calls"
    private static let mostLayers = 64
}

/// One layer of the evaluator's sandbox.
package struct SandboxLayer: Sendable, Equatable {
    /// Stable name for people and programs: `system calls`.
    package var name: String
    /// Whether it was put on and took effect.
    package var holds: Bool
    /// What was tried, or why it does not hold.
    package var detail: String
    /// Reports on one layer.
    package init(name: String, holds: Bool, detail: String) {
        self.name = name
        self.holds = holds
        self.detail = detail
    }
}
