/* A product in one file, as mesh-witness asks it to act: Java 17 or later and its own HTTP client, nothing else.
 *     java Drive.java handshake|send|receive|track
 * Everything else is in the environment (docs/drivers.md). It does what the witness pack asks of a product, so it is
 * also a pattern to follow. Exit code 0 only when MESH has accepted what was asked for. */

import static java.nio.charset.StandardCharsets.UTF_8;
import java.io.*;
import java.net.*;
import java.net.http.*;
import java.nio.file.*;
import java.security.*;
import java.security.cert.CertificateFactory;
import java.time.*;
import java.util.*;
import java.util.zip.*;
import javax.crypto.Mac;
import javax.net.ssl.*;

public class Drive {
    static final Map<String, String> ENV = System.getenv();
    static final String MAILBOX = ENV.get("MESH_MAILBOX_ID"), NONCE = UUID.randomUUID().toString();
    static final boolean GZIP = "yes".equals(ENV.get("MESH_COMPRESS"));
    static HttpClient http;
    static int count;

    record Answer(int status, byte[] content) {}

    public static void main(String[] args) throws Exception {
        // Follows no redirect, repeats no POST. HttpURLConnection does both, and takes half a download for a whole.
        http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).sslContext(tls()).build();
        try {
            switch (args[0]) {
                case "handshake" -> demand(200, "POST", "", null, "Mex-ClientVersion", "Drive.java==1",
                    "Mex-OSName", "Java", "Mex-OSVersion", "17", "Mex-OSArchitecture", "any");
                case "send" -> send();
                case "receive" -> receive();
                default -> System.out.println(new String(demand(200, "GET", "/outbox/tracking?messageID="
                    + URLEncoder.encode(ENV.get("MESH_MESSAGE_ID"), UTF_8), null), UTF_8));
            }
        } catch (IOException refused) {
            System.err.println(refused); System.exit(1);
        }
    }

    /** Trusts MESH_CA_FILE alone, and presents the client certificate. From PEM: no keystore, no keytool. */
    static SSLContext tls() throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        for (var authority : certificates("MESH_CA_FILE")) store.setCertificateEntry("ca" + store.size(), authority);
        var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        var chain = certificates("MESH_CLIENT_CERT").toArray(new java.security.cert.Certificate[0]);
        // Java reads PKCS#8 (BEGIN PRIVATE KEY). Another: openssl pkcs8 -topk8 -nocrypt -in KEY -out NEW.
        String key = Files.readString(Path.of(ENV.get("MESH_CLIENT_KEY"))).replaceAll("-----[^-]+-----|\\s", "");
        var spec = new java.security.spec.PKCS8EncodedKeySpec(Base64.getDecoder().decode(key));
        String algorithm = chain[0].getPublicKey().getAlgorithm();
        store.setKeyEntry("own", KeyFactory.getInstance(algorithm).generatePrivate(spec), new char[0], chain);
        var own = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        own.init(store, new char[0]);
        var context = SSLContext.getInstance("TLS");
        context.init(own.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }

    static Collection<? extends java.security.cert.Certificate> certificates(String variable) throws Exception {
        return CertificateFactory.getInstance("X.509")
            .generateCertificates(new ByteArrayInputStream(Files.readAllBytes(Path.of(ENV.get(variable)))));
    }

    /** A token is good for one call: the count goes up with each. */
    static String token() throws Exception {
        String at = Instant.now().toString().replaceAll("\\D", "").substring(0, 12); // UTC
        String start = MAILBOX + ":" + NONCE + ":" + count++;
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new javax.crypto.spec.SecretKeySpec(ENV.get("MESH_SHARED_KEY").getBytes(UTF_8), "HmacSHA256"));
        byte[] hash = mac.doFinal((start + ":" + ENV.get("MESH_MAILBOX_PASSWORD") + ":" + at).getBytes(UTF_8));
        return "NHSMESH " + start + ":" + at + ":" + HexFormat.of().formatHex(hash);
    }

    /** One call, and its content, decompressed. Never repeated: a send that was not answered may have been taken. */
    static Answer call(String method, String path, byte[] body, String... headers) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(ENV.get("MESH_URL") + "/messageexchange/" + MAILBOX + path))
            .timeout(Duration.ofSeconds(60)).header("Authorization", token())
            .header("Accept", "application/vnd.mesh.v2+json").method(method, body == null
                ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofByteArray(body));
        for (int i = 0; i < headers.length; i += 2) request.header(headers[i], headers[i + 1]);
        var answer = http.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
        boolean zipped = answer.headers().firstValue("Content-Encoding").filter("gzip"::equals).isPresent();
        return new Answer(answer.statusCode(), zipped
            ? new GZIPInputStream(new ByteArrayInputStream(answer.body())).readAllBytes() : answer.body());
    }

    static byte[] demand(int expected, String method, String path, byte[] body, String... headers) throws Exception {
        Answer answer = call(method, path, body, headers);
        if (answer.status == expected) return answer.content;
        throw new IOException(method + " " + path + ": " + answer.status + " " + new String(answer.content, UTF_8));
    }

    static void send() throws Exception {
        byte[] payload = Files.readAllBytes(Path.of(ENV.get("MESH_PAYLOAD_FILE")));
        String chunk = ENV.getOrDefault("MESH_CHUNK_SIZE", ""), message = null;
        int size = chunk.isEmpty() ? Math.max(payload.length, 1) : Integer.parseInt(chunk);
        int total = Math.max((payload.length + size - 1) / size, 1);
        for (int number = 1; number <= total; number++) {
            var part = new ByteArrayOutputStream();
            try (OutputStream out = GZIP ? new GZIPOutputStream(part) : part) {
                out.write(payload, (number - 1) * size, Math.min(size, payload.length - (number - 1) * size));
            }
            List<String> headers = new ArrayList<>(List.of("Content-Type", "application/octet-stream"));
            if (GZIP) headers.addAll(List.of("Content-Encoding", "gzip", "Mex-Content-Compressed", "Y"));
            if (total > 1) headers.addAll(List.of("Mex-Chunk-Range", number + ":" + total));
            if (number == 1) headers.addAll(List.of("Mex-From", MAILBOX, "Mex-To", ENV.get("MESH_RECIPIENT_ID"),
                "Mex-WorkflowID", ENV.get("MESH_WORKFLOW_ID"), "Mex-LocalID", ENV.get("MESH_LOCAL_ID"),
                "Mex-Subject", ENV.get("MESH_SUBJECT"), "Mex-FileName", ENV.get("MESH_FILE_NAME")));
            String path = number == 1 ? "/outbox" : "/outbox/" + message + "/" + number;
            byte[] answer = demand(202, "POST", path, part.toByteArray(), headers.toArray(new String[0]));
            if (number == 1) message = found("\"message_id\"\\s*:\\s*\"([^\"]+)\"", answer);
        }
        System.out.println("sent " + message);
    }

    /** Works the inbox off: what a look lists is taken, and then comes another look, until nothing new is listed. */
    static void receive() throws Exception {
        Set<String> seen = new HashSet<>();
        for (int before = -1; before < seen.size(); ) {
            before = seen.size();
            // IDs need no JSON parser; a product has one. A list that is not there is an error, and no empty inbox.
            String list = found("\"messages\"\\s*:\\s*\\[([^\\]]*)\\]", demand(200, "GET", "/inbox", null));
            for (String id : list.split("[\\s,\"]+")) if (!id.isEmpty() && seen.add(id)) take(id);
        }
    }

    static void take(String id) throws Exception {
        String[] accept = GZIP ? new String[] {"Accept-Encoding", "gzip"} : new String[0];
        Answer part = call("GET", "/inbox/" + id, null, accept);
        if (part.status == 404 || part.status == 410) return; // listed, and gone: nothing to acknowledge or repeat
        var whole = new ByteArrayOutputStream();
        for (int number = 2; part.status == 206; number++) {
            whole.writeBytes(part.content);
            part = call("GET", "/inbox/" + id + "/" + number, null, accept);
        }
        if (part.status != 200) throw new IOException("download of " + id + ": " + part.status);
        whole.writeBytes(part.content);
        // Kept first, acknowledged then: what is acknowledged is gone from MESH.
        Files.write(Path.of(ENV.get("MESH_OUTPUT_DIR"), id), whole.toByteArray());
        demand(200, "PUT", "/inbox/" + id + "/status/acknowledged", null);
    }

    static String found(String pattern, byte[] json) throws IOException {
        return new Scanner(new ByteArrayInputStream(json), UTF_8).findAll(pattern).findFirst()
            .orElseThrow(() -> new IOException("not what MESH answers: " + new String(json, UTF_8))).group(1);
    }
}
