internal import Glibc
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import NIOPosix
internal import PipelineIR

internal import struct Executor.Timestamp

/// Routes of what jobs have kept. A reader that stalls holds one part of it and no thread.
struct ArtifactRoutes: Sendable {
    let jobs: JobRoutes
    let data: DataFolder
    let threads: NIOThreadPool

    /// Adds them.
    func add(to routes: APIRoutes) {
        routes.on(.get, "/api/v1/artifacts/{id}", .read, .listArtifacts) { _, context in
            try await list(context)
        }
        routes.on(.get, "/api/v1/artifacts/{id}/{name}", .read, .getArtifact) { request, context in
            try await get(request, context)
        }
    }

    private func list(_ context: APIContext) async throws -> Response {
        let job = try await jobs.job(context)
        let artifacts = try await jobs.database.artifacts(of: job.number)
        return JSONAnswer.make { json in
            json.beginObject()
            json.key("artifacts")
            json.beginArray()
            for artifact in artifacts {
                json.beginObject()
                json.member("name", artifact.name)
                json.member("size", artifact.bytes)
                json.member("digest", "sha256:\(artifact.digest.hex)")
                json.key("folder")
                json.bool(artifact.kind == .folder)
                json.member("removed", artifact.removed?.utc)
                json.endObject()
            }
            json.endArray()
            json.endObject()
        }
    }

    private func get(_ request: Request, _ context: APIContext) async throws -> Response {
        let job = try await jobs.job(context)
        let name = try context.part("name")
        // Only what a scan of the folder has found is looked for on the disk.
        guard let artifact = try await jobs.database.artifact(name, of: job.number) else {
            throw Problem(
                .notFound, "Job \(job.id) has no artifact `\(ShownText.line(name, most: 200))`.",
                hint: "GET /api/v1/artifacts/\(job.id) lists them.")
        }
        if artifact.removed != nil { throw Self.gone(artifact, job) }
        let tag = "\"\(artifact.digest.hex)\""
        if EntityTags.holds(request.headers[.ifNoneMatch], tag) {
            return Response(status: .notModified, headers: [.eTag: tag])
        }
        let path = "\(data.job(job.id))/\(ArtifactScan.folderName)/\(artifact.name)"
        do {
            switch artifact.kind {
            case .folder: return try await archive(artifact, tag, path, context)
            case .file: return try await file(artifact, tag, path, request, context)
            }
        } catch ArtifactProblem.system(_, _, ENOENT) {
            throw Self.gone(artifact, job)
        }
    }

    private static func gone(_ artifact: Artifact, _ job: Job) -> Problem {
        Problem(
            .gone, "The artifact `\(artifact.name)` of job \(job.id) was removed.",
            hint: "Run the job again, or keep artifacts for longer (`retention.artifacts`).")
    }

    private func archive(
        _ artifact: Artifact, _ tag: String, _ path: String, _ context: APIContext
    ) async throws -> Response {
        let threads = threads
        let reader = try await threads.runIfActive {
            try ArchiveReader(folder: path, as: Array(artifact.name.utf8))
        }
        return Response(
            status: .ok,
            headers: Self.headers("application/gzip", tag, "\(artifact.name).tar.gz"),
            body: .streamed(to: context) { writer in
                while let bytes = try await reader.next(on: threads) {
                    try await writer.write(bytes)
                }
            })
    }

    private func file(
        _ artifact: Artifact, _ tag: String, _ path: String, _ request: Request,
        _ context: APIContext
    ) async throws -> Response {
        let threads = threads
        let reader = try await threads.runIfActive { try FileReader(path) }
        var headers = Self.headers("application/octet-stream", tag, artifact.name)
        headers[.acceptRanges] = "bytes"
        // A part of another content than the one that somebody has begins with all of it.
        let isSame = request.headers[.ifRange].map { $0 == tag } ?? true
        let range = ByteRange(isSame ? request.headers[.range] : nil, size: reader.size)
        var (bytes, status) = (Int64(0)..<reader.size, HTTPResponse.Status.ok)
        switch range {
        case .all: break
        case .part(let part):
            (bytes, status) = (part, .partialContent)
            headers[.contentRange] =
                "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(reader.size)"
        case .unsatisfiable:
            headers[.contentRange] = "bytes */\(reader.size)"
            headers[.contentType] = nil
            return Response(status: .rangeNotSatisfiable, headers: headers)
        }
        let wanted = bytes
        return Response(
            status: status, headers: headers,
            body: .streamed(to: context, length: wanted.count) { writer in
                var position = wanted.lowerBound
                while position < wanted.upperBound {
                    let part = try await reader.read(
                        from: position, most: wanted.upperBound - position, on: threads)
                    position += Int64(part.readableBytes)
                    try await writer.write(part)
                }
            })
    }

    /// It comes from a pipeline, so no browser shows it as a page of the master.
    private static func headers(_ type: String, _ tag: String, _ name: String) -> HTTPFields {
        var headers: HTTPFields = [
            .contentType: type, .eTag: tag, .cacheControl: "private, no-cache",
            .contentDisposition: "attachment; filename*=UTF-8''\(PercentEncoding.encode(name))",
        ]
        headers[.contentSecurityPolicy] = "sandbox; default-src 'none'"
        return headers
    }
}
