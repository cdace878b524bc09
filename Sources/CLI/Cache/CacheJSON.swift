import Executor
import PipelineIR

/// Results of the cache in JSON. Times are RFC 3339, sizes bytes.
enum CacheJSON {
    /// An object on one line, made by a function.
    static func line(_ body: (inout JSONWriter) -> Void) -> TextBuffer {
        var json = JSONWriter()
        json.beginObject()
        body(&json)
        json.endObject()
        var buffer = TextBuffer()
        buffer.put(bytes: json.bytes)
        buffer.put(byte: 0x0a)
        return buffer
    }

    /// `{"results":[…]}`.
    static func list(_ entries: some Collection<CacheEntry>, total: Int) -> TextBuffer {
        line { json in
            json.key("results")
            json.beginArray()
            for entry in entries {
                json.beginObject()
                put(entry, &json)
                json.endObject()
            }
            json.endArray()
            json.key("total")
            json.integer(total)
        }
    }

    /// One result, and what it was made of.
    static func detail(
        _ entry: CacheEntry, _ result: ActionResult, _ manifest: Manifest?
    ) -> TextBuffer {
        line { json in
            put(entry, &json)
            json.key("duration_ms")
            json.integer(result.durationMilliseconds)
            json.key("outputs")
            put(result.outputs, &json)
            guard let manifest else { return }
            json.key("inputs")
            put(manifest.inputs, &json)
            json.key("facts")
            json.beginArray()
            for fact in manifest.facts {
                json.beginObject()
                text("kind", "\(fact.kind)", &json)
                text("name", fact.name, &json)
                if fact.kind != .secret { text("value", fact.value, &json) }
                json.endObject()
            }
            json.endArray()
        }
    }

    private static func put(_ entry: CacheEntry, _ json: inout JSONWriter) {
        text("created", Timestamp(microseconds: entry.created * 1_000_000).utc, &json)
        text("job", entry.job, &json)
        text("key", entry.key.description, &json)
        json.key("pinned")
        json.bool(entry.isPinned)
        json.key("size")
        json.integer(entry.size)
        text("step", entry.step, &json)
        text("used", Timestamp(microseconds: entry.used * 1_000_000).utc, &json)
    }

    private static func put(_ tree: FileTree, _ json: inout JSONWriter) {
        json.beginArray()
        for entry in tree.entries {
            json.beginObject()
            switch entry.node {
            case .file(let digest, let size, let isExecutable):
                text("digest", digest.hex, &json)
                json.key("executable")
                json.bool(isExecutable)
                json.key("size")
                json.integer(size)
            case .link(let target): text("target", String(decoding: target, as: UTF8.self), &json)
            case .folder: break
            }
            text("path", entry.path.text, &json)
            json.endObject()
        }
        json.endArray()
    }

    /// A key with a text.
    static func text(_ key: StaticString, _ text: String, _ json: inout JSONWriter) {
        json.key(key)
        json.string(text)
    }
}
