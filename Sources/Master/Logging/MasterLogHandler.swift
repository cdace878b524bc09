package import Logging

/// The master's handler for swift-log. All handlers of a sink share its level, unless a logger was
/// given one of its own.
package struct MasterLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?

    private let label: String
    private let sink: LogSink
    private var ownLevel: Logger.Level?

    /// A handler for a part of the master (`http`, `queue`).
    package init(label: String, sink: LogSink) {
        self.label = label
        self.sink = sink
    }

    /// The least level that is logged.
    package var logLevel: Logger.Level {
        get { ownLevel ?? sink.level }
        set { ownLevel = newValue }
    }

    /// One field of what each line has.
    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes one line. What the call names wins over what the task has, and that over what the
    /// logger has.
    package func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let given = event.metadata { all.merge(given) { $1 } }
        sink.write(label: label, event, all)
    }
}
