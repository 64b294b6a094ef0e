import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSObject;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.Payload;
import com.nimbusds.jose.PlainHeader;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.Ed25519Signer;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.util.JSONObjectUtils;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.PlainJWT;
import com.nimbusds.jwt.SignedJWT;
import java.nio.charset.StandardCharsets;
import java.text.ParseException;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;

/** Nimbus JOSE+JWT as a minter: an order on standard input, what became of each of its tokens on standard output (minter.ts). */
public final class Minter {
  private static final Map<String, JWSSigner> signers = new HashMap<>();

  public static void main(String[] args) throws Exception {
    String text = new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
    Map<String, Object> order = JSONObjectUtils.parse(text);
    Map<String, Object> keys = JSONObjectUtils.getJSONObject(order, "keys");
    Map<String, Object> minted = new LinkedHashMap<>();
    for (Object item : (List<?>) order.get("tokens")) {
      @SuppressWarnings("unchecked")
      Map<String, Object> wanted = (Map<String, Object>) item;
      minted.put((String) wanted.get("id"), mint(wanted, keys));
    }
    System.out.println(JSONObjectUtils.toJSONString(Map.of("version", version(), "minted", minted)));
  }

  private static Map<String, Object> mint(Map<String, Object> wanted, Map<String, Object> keys) throws Exception {
    Map<String, Object> claims = JSONObjectUtils.getJSONObject(wanted, "claims");
    if ("none".equals(wanted.get("alg"))) {
      return made(new PlainJWT(new PlainHeader(), JWTClaimsSet.parse(claims)).serialize(), "jwt");
    }
    Map<String, Object> members = new LinkedHashMap<>(JSONObjectUtils.getJSONObject(wanted, "header"));
    members.put("alg", wanted.get("alg"));
    JWSHeader header = JWSHeader.parse(members);
    JWSSigner signer = signer(wanted, keys);
    try {
      JWTClaimsSet set = JWTClaimsSet.parse(claims);
      // It makes text of a number.
      if (!Objects.equals(set.toJSONObject().get("sub"), claims.get("sub"))) throw new ParseException("sub", 0);
      SignedJWT jwt = new SignedJWT(header, set);
      jwt.sign(signer);
      return made(jwt.serialize(), "jwt");
    } catch (ParseException refused) {
      JWSObject jws = new JWSObject(header, new Payload(claims));
      jws.sign(signer);
      return made(jws.serialize(), "jws");
    }
  }

  private static JWSSigner signer(Map<String, Object> wanted, Map<String, Object> keys) throws Exception {
    if (wanted.get("secret") instanceof String secret) return new MACSigner(Base64.getDecoder().decode(secret));
    String name = (String) wanted.get("key");
    if (!signers.containsKey(name)) signers.put(name, signer(JSONObjectUtils.getJSONObject(keys, name)));
    return signers.get(name);
  }

  private static JWSSigner signer(Map<String, Object> key) throws Exception {
    JWK jwk = JWK.parse(JSONObjectUtils.getJSONObject(key, "jwk"));
    return switch (jwk.getKeyType().getValue()) {
      case "RSA" -> new RSASSASigner(jwk.toRSAKey());
      case "EC" -> new ECDSASigner(jwk.toECKey());
      case "OKP" -> new Ed25519Signer(jwk.toOctetKeyPair());
      default -> throw new JOSEException("no signer for " + jwk.getKeyType());
    };
  }

  private static Map<String, Object> made(String token, String layer) {
    return Map.of("token", token, "layer", layer);
  }

  private static String version() throws Exception {
    Properties properties = new Properties();
    try (var file = Minter.class.getResourceAsStream("/META-INF/maven/com.nimbusds/nimbus-jose-jwt/pom.properties")) {
      properties.load(file);
    }
    return properties.getProperty("version");
  }
}
